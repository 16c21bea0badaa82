import { missing, ok, page, type Routes } from "./answer.ts";

export const contacts: Routes = {
  "GET /api/contacts": (server, { query }) => {
    const words = (query.get("search") ?? "").toLowerCase();
    const status = query.get("status");
    const found = server.contacts.filter(
      (one) => `${one.name} ${one.phone}`.toLowerCase().includes(words) && (!status || one.status === status),
    );
    return ok(page(found, query));
  },
  "* /api/contacts/:id": (server, { method, body }, id) => {
    const one = server.contacts.find((other) => other.id === id);
    if (!one) return missing("contact");
    if (method === "PATCH") Object.assign(one, body);
    return ok(one);
  },
};
