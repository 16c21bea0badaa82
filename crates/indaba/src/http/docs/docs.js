// Shows the OpenAPI document: operations by tag, each with its parameters, its body and its answers as examples of their schemas.
"use strict";

const make = (name, attributes, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

/** A schema as a person would write down its shape. References are followed, each at most once on a way down. */
function shape(document, schema, seen = []) {
  if (!schema) return null;
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return seen.includes(name) ? `(${name})` : shape(document, document.components.schemas[name], [...seen, name]);
  }
  if (schema.example !== undefined) return schema.example;
  const id = /^\^([a-z]+_)\[0-7\]/.exec(schema.pattern ?? "");
  if (id) return `${id[1]}…`;
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.const !== undefined) return schema.const;
  const either = schema.oneOf ?? schema.anyOf;
  if (either) {
    const shapes = either.filter((one) => one.type !== "null").map((one) => shape(document, one, seen));
    const words = shapes.every((one) => typeof one === "string");
    return words ? [...shapes, ...(shapes.length < either.length ? ["null"] : [])].join(" | ") : shapes[0];
  }
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((one) => shape(document, one, seen)));
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : schema.type;
  if (schema.properties) {
    const required = new Set(schema.required ?? []);
    return Object.fromEntries(
      Object.entries(schema.properties).map(([name, of]) => [required.has(name) ? name : `${name}?`, shape(document, of, seen)]),
    );
  }
  if (schema.items) return [shape(document, schema.items, seen)];
  return schema.format ? `${type}, ${schema.format}` : schema.pattern ? `${type}, ${schema.pattern}` : (type ?? "anything");
}

const block = (document, content) =>
  Object.entries(content ?? {}).map(([kind, { schema }]) => {
    const text = kind.includes("json") ? JSON.stringify(shape(document, schema), null, 2) : kind;
    return make("pre", { tabindex: "0" }, text);
  });

function operation(document, path, method, of) {
  const rows = (of.parameters ?? []).map((parameter) =>
    make("tr", {},
      make("td", {}, make("code", {}, parameter.name)),
      make("td", {}, `${parameter.in}${parameter.required ? "" : ", optional"}`),
      make("td", {}, [String(shape(document, parameter.schema) ?? ""), parameter.description].filter(Boolean).join(": ")),
    ));
  const open = (of.security ?? []).some((one) => Object.keys(one).length === 0);
  const inside = make("div", { class: "inside" },
    of.description ? make("p", {}, of.description) : null,
    open ? make("p", { class: "said" }, "Open to strangers.") : null,
    ...(rows.length ? [make("h3", {}, "Parameters"), make("table", {}, make("tbody", {}, ...rows))] : []),
    ...(of.requestBody ? [make("h3", {}, "Body"), ...block(document, of.requestBody.content)] : []),
    ...Object.entries(of.responses ?? {})
      .filter(([status]) => status !== "default")
      .flatMap(([status, answer]) => [
        make("h3", {}, [status, answer.description].filter(Boolean).join(" ")),
        ...(status.startsWith("2") ? block(document, answer.content) : []),
      ]),
  );
  const summary = make("summary", {},
    make("span", { class: `method ${method}` }, method),
    make("span", { class: "path" }, path),
    make("span", { class: "said" }, of.summary ?? ""),
  );
  const details = make("details", { id: `${method}-${path}` }, summary, inside);
  details.dataset.words = [method, path, of.summary, of.description, ...(of.tags ?? [])].join(" ").toLowerCase();
  return details;
}

function show(document) {
  const main = window.document.getElementById("operations");
  window.document.getElementById("version").textContent = document.info.version;
  window.document.getElementById("about").textContent = (document.info.description ?? "").replaceAll("`", "");
  const tags = new Map();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of ["get", "post", "put", "patch", "delete"]) {
      if (!item[method]) continue;
      const tag = item[method].tags?.[0] ?? "other";
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push(operation(document, path, method, item[method]));
    }
  }
  const sections = [...tags].map(([tag, all]) => make("section", {}, make("h2", {}, tag), ...all));
  main.replaceChildren(...sections);
  window.document.getElementById("find").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const section of sections) {
      const all = [...section.querySelectorAll("details")];
      for (const one of all) one.hidden = !words.every((word) => one.dataset.words.includes(word));
      section.hidden = all.every((one) => one.hidden);
    }
  });
  const linked = location.hash && window.document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (linked) {
    linked.open = true;
    linked.scrollIntoView();
  }
}

fetch("/api/openapi.json")
  .then((answer) => answer.json())
  .then(show)
  .catch((reason) => window.document.getElementById("operations").replaceChildren(make("p", {}, `The document cannot be read: ${reason}`)));
