// A workspace as the API makes it: people, a linked number, customers.
import { randomUUID } from "node:crypto";
import { Customer, control, newPhone } from "./phone.js";
import { until } from "./processes.js";

export const password = "cottage wheelbarrow Hermanus 41";

/** A person with a browser that is signed in. */
export class Person {
  constructor(stage, server, context, name, email) {
    Object.assign(this, { stage, server, context, name, email });
  }

  /** A call to the API with this browser's cookies. Errors: any answer that is not 2xx. */
  async api(method, path, data) {
    const answer = await this.context.request.fetch(`${this.server}/api${path}`, {
      method,
      data,
      headers: { origin: this.server },
    });
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
    return answer.status() === 204 ? undefined : await answer.json();
  }

  /** Opens a page of the UI. */
  async open(path = "/chat") {
    const page = await this.context.newPage();
    await page.goto(this.server + path);
    return page;
  }
}

/** A workspace, its first person, and its number if it has one. */
export class Workspace {
  static #made = 0;

  constructor(owner, simulator) {
    this.owner = owner;
    this.simulator = simulator;
  }

  /** Signs up; with `linked`, links a number as a phone would that scans the code at once. */
  static async make(
    stage,
    { name = "Protea Homes", linked = true, server = stage.server, simulator = stage.simulator, ...options } = {},
  ) {
    const context = await stage.context(options);
    const owner = new Person(stage, server, context, "Naledi Khumalo", `naledi.${randomUUID()}@example.com`);
    await owner.api("POST", "/auth/sign-up", {
      email: owner.email,
      password,
      name: owner.name,
      tenantName: `${name} ${++Workspace.#made}`,
      country: "ZA",
    });
    const workspace = new Workspace(owner, simulator);
    if (linked) await workspace.link();
    return workspace;
  }

  /** A second person, who joins by invitation. */
  async colleague(name, role = "agent") {
    const email = `${name.split(" ")[0].toLowerCase()}.${randomUUID()}@example.com`;
    const { url } = await this.owner.api("POST", "/invitations", { email, role });
    const { stage, server } = this.owner;
    const person = new Person(stage, server, await stage.context(), name, email);
    const invitation = new URL(url).searchParams.get("invitation");
    await person.api("POST", "/auth/sign-up", { email, password, name, tenantName: "", invitation });
    return person;
  }

  /** The gateway's session behind a number. */
  async session(instance) {
    return await until("the gateway's session", async () => {
      const { items } = await control(this.simulator, "GET", "/sessions");
      return items.find((one) => JSON.stringify(one.hooks).includes(instance.hookUrl));
    });
  }

  /** Links a number, past the code. */
  async link(name = "Sales") {
    const made = await this.owner.api("POST", "/instances", { name });
    const session = await this.session(made);
    await until("a code to scan", async () => {
      const now = await control(this.simulator, "GET", `/sessions/${session.name}`);
      return now.status === "SCAN_QR_CODE";
    });
    this.phone = newPhone();
    await control(this.simulator, "POST", `/sessions/${session.name}/scan`, { phone: this.phone, pushName: name });
    this.sessionName = session.name;
    this.instance = await until("the number to be connected", async () => {
      const now = await this.owner.api("GET", `/instances/${made.id}`);
      return now.state === "connected" && now;
    });
    return this.instance;
  }

  /** Somebody who can write to the workspace's number. */
  customer(name, phone) {
    return new Customer(this.simulator, this.phone, name, phone);
  }

  /** Something goes wrong at the gateway, for this workspace's session alone. */
  fault(on, what, more = {}) {
    return control(this.simulator, "POST", "/faults", { on: { session: this.sessionName, ...on }, do: what, ...more });
  }

  /** The id of the customer's conversation, as soon as there is one. */
  conversation(customer) {
    return until(`the conversation with ${customer.name}`, async () => {
      const { items } = await this.owner.api("GET", "/conversations?limit=100");
      return items.find((one) => one.contact.phone === `+${customer.phone}`)?.id;
    });
  }
}
