// A story: a test that has pages to look at. What it opened is closed, and a failure leaves pictures and the log's place.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { after, test } from "node:test";
import { browser, letGo } from "./browser.js";
import { scratch } from "./processes.js";
import { Workspace } from "./workspace.js";

after(letGo);

/** What a page may not say: errors of its own, and what the content security policy forbade. */
const harmless = /^Failed to load resource|WebSocket connection to .* failed/;

class Stage {
  #contexts = [];
  #pages = [];
  #complaints = [];
  /** The server of the run, unless a story brings its own. */
  server = process.env.E2E_SERVER;
  /** The simulator of the run. */
  simulator = process.env.E2E_SIMULATOR;

  /** A browser of somebody's own: its cookies, its storage. */
  async context(options = {}) {
    const context = await (await browser()).newContext({
      viewport: { width: 1440, height: 900 },
      locale: "en-ZA",
      timezoneId: "Africa/Johannesburg",
      permissions: ["microphone"],
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(15_000);
    context.on("page", (page) => this.#watch(page));
    this.#contexts.push(context);
    return context;
  }

  #watch(page) {
    this.#pages.push(page);
    page.on("pageerror", (error) => this.#complaints.push(`${page.url()}: ${error.stack || error}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !harmless.test(message.text()))
        this.#complaints.push(`${page.url()}: ${message.text()}`);
    });
  }

  /** A new workspace with its first person, signed up through the API. */
  async workspace(options) {
    return await Workspace.make(this, options);
  }

  /** Errors: what the pages complained about. */
  quiet() {
    if (this.#complaints.length > 0) throw new Error(`the pages complained:\n${this.#complaints.join("\n")}`);
  }

  /** Pictures of what is open, for whoever looks at a failure. */
  async pictures(name) {
    const folder = path.join(scratch, "failures");
    await mkdir(folder, { recursive: true });
    const open = this.#pages.filter((page) => !page.isClosed());
    const taken = open.map(async (page, at) => {
      const file = path.join(folder, `${name.replace(/\W+/g, "-").slice(0, 80)}-${at + 1}.png`);
      await page.screenshot({ path: file, timeout: 5_000 }).catch(() => undefined);
      return `${file} (${page.url()})`;
    });
    return await Promise.all(taken);
  }

  async strike() {
    for (const context of this.#contexts) await context.close();
  }
}

/** A test of what people see. `work` gets the stage and says what must be true by throwing when it is not. */
export function story(name, work, { timeout = 60_000 } = {}) {
  test(name, async (t) => {
    const stage = new Stage();
    let timer;
    // Ours, not the runner's: a story that takes too long leaves its pictures, too.
    const late = new Promise((_, fail) => {
      timer = setTimeout(() => fail(new Error(`it took more than ${timeout / 1000} s`)), timeout);
    });
    try {
      await Promise.race([work(stage, t), late]);
      stage.quiet();
    } catch (error) {
      for (const file of await stage.pictures(name)) t.diagnostic(`picture: ${file}`);
      t.diagnostic(`logs: ${scratch}/*.log`);
      throw error;
    } finally {
      clearTimeout(timer);
      await stage.strike();
    }
  });
}
