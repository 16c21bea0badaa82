// The other side: customers and their phones, played through the simulator's control API.
import { randomInt } from "node:crypto";
import { until } from "./processes.js";

/** A South African mobile number that no other story uses, as digits. */
export const newPhone = () => `2782${randomInt(1_000_000, 9_999_999)}`;

/** A number as people read it: `+27 82 123 4567`. */
export const spoken = (digits) =>
  `+${digits.slice(0, 2)} ${digits.slice(2, 4)} ${digits.slice(4, 7)} ${digits.slice(7)}`;

/** A call to the control API. Errors: what it says. */
export async function control(simulator, method, path, body) {
  const answer = await fetch(`${simulator}/control${path}`, {
    method,
    headers: body ? { "content-type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** Somebody who writes to a business. */
export class Customer {
  constructor(simulator, business, name, phone = newPhone()) {
    Object.assign(this, { simulator, business, name, phone });
  }

  #call(method, path, body) {
    return control(this.simulator, method, `/numbers/${this.business}${path}`, body);
  }

  /** Writes; the answer is the message. */
  says(body, more = {}) {
    return this.#call("POST", "/messages", { from: this.phone, name: this.name, body, ...more });
  }

  /** Sends a file. */
  sends(kind, mimetype, data, more = {}) {
    const file = {
      mimetype,
      data: Buffer.from(data).toString("base64"),
      ...(more.filename && { filename: more.filename }),
    };
    return this.#call("POST", "/messages", { from: this.phone, name: this.name, kind, file, body: more.body });
  }

  /** Everything in the chat, the oldest first. */
  async chat() {
    return (await this.#call("GET", `/chats/${this.phone}/messages?limit=100`)).items;
  }

  /** Waits until the business has written something like this. */
  gets(test, what = "an answer on the customer's phone") {
    return until(what, async () => (await this.chat()).find((message) => message.fromMe && test(message)));
  }

  /** Opens the chat: what the business wrote is read. */
  opens() {
    return this.#call("POST", `/chats/${this.phone}/open`);
  }

  /** When this customer's ticks move; `null` holds one and those after it. */
  acks(policy) {
    return control(this.simulator, "POST", "/customers", { phone: this.phone, name: this.name, acks: policy });
  }

  /** Moves the ticks of a message of the business. */
  acknowledges(message, ack) {
    return this.#call("POST", `/messages/${message.id}/ack`, { ack });
  }

  /** Is typing. */
  types(state = "typing") {
    return this.#call("POST", `/chats/${this.phone}/typing`, { state });
  }
}
