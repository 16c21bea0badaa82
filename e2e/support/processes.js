// Programs that a run starts: each with its own log file, known by its pid, ended by it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";

/** The repository's root. */
export const root = path.resolve(import.meta.dirname, "../..");

/** Where this run scratches: data directories, logs, pictures of failures. */
export const scratch = process.env.E2E_SCRATCH ?? path.join(root, ".scratch/e2e");

/** A loopback port that nobody has. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Asks again and again, soon at first, until `ask` answers something true. Errors: what it waited for, and the last refusal. */
export async function until(what, ask, { within = 20_000 } = {}) {
  const end = Date.now() + within;
  let last;
  for (let wait = 20; ; wait = Math.min(250, wait * 1.4)) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = undefined;
    } catch (error) {
      if (error?.final) throw error;
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited ${within / 1000} s for ${what}${last ? `: ${last.message}` : ""}`);
    await new Promise((done) => setTimeout(done, wait));
  }
}

/** A program that runs. */
export class Program {
  #child;
  #over;
  #group;
  /** What it has printed on stdout so far. */
  said = "";

  constructor(name, child, log, group) {
    this.name = name;
    this.log = log;
    this.#child = child;
    this.#group = group;
    this.#over = new Promise((done) => child.once("exit", (code, signal) => done(signal ?? code)));
    child.stdout.on("data", (part) => {
      this.said += part;
    });
  }

  /** Starts `command` in a directory of its own; `group`: with the processes it starts, to be ended together. */
  static async start(name, command, args, { env = {}, group = false, cwd = root } = {}) {
    await mkdir(scratch, { recursive: true });
    const log = path.join(scratch, `${name}.log`);
    const file = createWriteStream(log, { flags: "a" });
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: group,
    });
    child.stdout.pipe(file, { end: false });
    child.stderr.pipe(file, { end: false });
    const program = new Program(name, child, log, group);
    await Promise.race([
      once(child, "spawn"),
      once(child, "error").then(([error]) => {
        throw new Error(`${name} did not start: ${error.message}`);
      }),
    ]);
    return program;
  }

  /** Waits until it says that it is ready. Errors: it ended before that. */
  async until(what, ask, options) {
    let end;
    void this.#over.then((how) => {
      end = how;
    });
    return await until(
      what,
      async () => {
        if (end !== undefined)
          throw Object.assign(new Error(`${this.name} ended with ${end}, see ${this.log}`), { final: true });
        return await ask();
      },
      options,
    );
  }

  #signal(name) {
    try {
      process.kill(this.#group ? -this.#child.pid : this.#child.pid, name);
    } catch {
      // It has ended.
    }
  }

  /** Asks it to end, and makes it after ten seconds. */
  async stop() {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), 10_000);
    await this.#over;
    clearTimeout(timer);
  }
}
