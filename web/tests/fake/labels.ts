import type { Label } from "~/api/types";
import { created, done, missing, ok, page, problem, type Routes } from "./answer.ts";
import * as data from "./data.ts";

export const labels: Routes = {
  "GET /api/labels": (server, { query }) => ok(page(server.labels, query)),
  "POST /api/labels": (server, { body: { name, colour } }) => {
    if (server.labels.some((one) => one.name.toLowerCase() === String(name).toLowerCase()))
      return problem(409, "label-exists", "There is a label of this name.");
    const made = data.label(String(name), colour as Label["colour"]);
    server.labels.push(made);
    server.emit("label.created", { label: made.id }, { label: made });
    return created(made);
  },
  "* /api/labels/:id": (server, { method, body }, id) => {
    const one = server.labels.find((other) => other.id === id);
    if (!one) return missing("label");
    if (method === "DELETE") {
      server.labels = server.labels.filter((other) => other !== one);
      server.emit("label.deleted", { label: id }, { label: { id, removed: true } });
      return done;
    }
    Object.assign(one, body);
    server.emit("label.updated", { label: id }, { label: one });
    return ok(one);
  },
};
