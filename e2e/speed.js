// How the inbox feels on a mid-range phone over a slow network: figures for docs/benchmarks.md, no limits.
//   cargo build -p indaba -p indaba-simulator && node speed.js          SPEED_ROUNDS=9 for more rounds
// The network and the processor are slowed down by Chromium itself: 1.6 Mbit/s with 150 ms there and back, a quarter of this machine's speed.
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { launch } from "./support/browser.js";
import { scratch } from "./support/processes.js";
import { startServer, startSimulator } from "./support/servers.js";
import { password, Workspace } from "./support/workspace.js";

const ROUNDS = Number(process.env.SPEED_ROUNDS ?? 5);
const SLOW_NETWORK = {
  offline: false,
  latency: 150,
  downloadThroughput: (1.6 * 1024 * 1024) / 8,
  uploadThroughput: (0.75 * 1024 * 1024) / 8,
};
const SLOWER = 4;
const TALKS = 30;

const rank = (list, share) =>
  list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
const figure = (name, list) =>
  console.log(
    `${name.padEnd(44)} median ${rank(list, 0.5).toFixed(0).padStart(5)} ms   slowest ${Math.max(...list)
      .toFixed(0)
      .padStart(5)} ms`,
  );

/** A page on the slow phone. */
async function phone(context) {
  const page = await context.newPage();
  const wire = await context.newCDPSession(page);
  await wire.send("Network.enable");
  await wire.send("Network.emulateNetworkConditions", SLOW_NETWORK);
  await wire.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  return page;
}

/** Notes when the first conversation is on the screen, and what the page asked for until then. */
function watchFirstRow() {
  const look = () => {
    if (!document.querySelector('[data-testid="conversation-row"]')) return requestAnimationFrame(look);
    // The frame after the one that drew it, and no work in the way of a finger.
    requestAnimationFrame(() => setTimeout(() => performance.mark("usable")));
  };
  requestAnimationFrame(look);
}

/** Milliseconds from a tap on a row to the frame that shows its last message. */
function openTalk([who, said]) {
  return new Promise((done) => {
    const row = [...document.querySelectorAll('[data-testid="conversation-row"]')].find((one) =>
      one.textContent.includes(who),
    );
    const began = performance.now();
    row.click();
    const look = () => {
      const shows = [...document.querySelectorAll('[data-testid="thread"] [data-testid="message"]')].some((one) =>
        one.textContent.includes(said),
      );
      if (!shows) return requestAnimationFrame(look);
      requestAnimationFrame(() => done(performance.now() - began));
    };
    requestAnimationFrame(look);
  });
}

/** Notes for each key how long it is until the frame that shows it has been drawn. */
function watchKeys() {
  window.keys = [];
  document.addEventListener(
    "keydown",
    () => {
      const began = performance.now();
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => window.keys.push(performance.now() - began);
        port2.postMessage(undefined);
      });
    },
    true,
  );
}

await mkdir(scratch, { recursive: true });
const ends = [];
try {
  const simulator = await startSimulator("speed-simulator");
  ends.push(() => simulator.program.stop());
  const server = await startServer(simulator.url, { name: "speed" });
  ends.push(() => server.program.stop());
  const chrome = await launch();
  ends.push(() => chrome.close());
  const browser = await chromium.connect(chrome.wsEndpoint());
  const looks = {
    viewport: { width: 360, height: 780 },
    deviceScaleFactor: 2,
    hasTouch: true,
    isMobile: true,
    locale: "en-ZA",
  };
  const context = (options) => browser.newContext({ ...looks, ...options });
  const shop = await Workspace.make({ server: server.url, simulator: simulator.url, context });
  const names = Array.from({ length: TALKS }, (_, at) => `Customer ${String(at + 1).padStart(2, "0")}`);
  for (const name of names) {
    const customer = shop.customer(name);
    for (const words of ["Good morning", "Is the cottage still to let?", `It is ${name} who asks`])
      await customer.says(words);
    await shop.conversation(customer);
  }
  // A browser of its own for each round, with nothing in its cache. Each signs in: a refresh token is good for one browser.
  const browserOf = async () => {
    const fresh = await context();
    const data = { email: shop.owner.email, password };
    const answer = await fresh.request.post(`${server.url}/api/auth/sign-in`, {
      data,
      headers: { origin: server.url },
    });
    if (!answer.ok()) throw new Error(`sign-in: ${answer.status()}`);
    return fresh;
  };

  const usable = [];
  const bytes = [];
  let requests = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const fresh = await browserOf();
    const page = await phone(fresh);
    await page.addInitScript(watchFirstRow);
    await page.goto(`${server.url}/chat`, { waitUntil: "commit" });
    await page.waitForFunction(() => performance.getEntriesByName("usable").length > 0, undefined, { timeout: 60_000 });
    const seen = await page.evaluate(() => {
      const at = performance.getEntriesByName("usable")[0].startTime;
      const asked = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
      const until = asked.filter((one) => one.startTime < at);
      return {
        at,
        bytes: until.reduce((sum, one) => sum + one.transferSize, 0),
        requests: until.map((one) => [
          Math.round(one.startTime),
          Math.round(one.responseEnd),
          one.transferSize,
          new URL(one.name).pathname,
        ]),
      };
    });
    usable.push(seen.at);
    bytes.push(seen.bytes);
    requests = seen.requests;
    await fresh.close();
  }
  figure("inbox usable, nothing in the cache", usable);
  console.log(
    `${"asked for until then".padEnd(44)} ${requests.length} requests, ${(rank(bytes, 0.5) / 1000).toFixed(0)} kB`,
  );

  const again = await browserOf();
  const page = await phone(again);
  await page.addInitScript(watchFirstRow);
  const warm = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    await page.goto(`${server.url}/chat`, { waitUntil: "commit" });
    await page.waitForFunction(() => performance.getEntriesByName("usable").length > 0, undefined, { timeout: 60_000 });
    if (round > 0) warm.push(await page.evaluate(() => performance.getEntriesByName("usable")[0].startTime));
  }
  figure("inbox usable, opened before", warm);

  await page.waitForTimeout(4_000);
  const shown = await page
    .getByTestId("conversation-row")
    .evaluateAll((rows) => rows.map((row) => /Customer \d\d/.exec(row.textContent)?.[0]));
  const first = [];
  const second = [];
  for (const list of [first, second])
    for (const name of shown.slice(0, 6)) {
      list.push(await page.evaluate(openTalk, [name, `It is ${name} who asks`]));
      await page.goBack();
      await page.getByTestId("conversation-row").first().waitFor();
      await page.waitForTimeout(300);
    }
  figure("open a conversation never seen", first);
  figure("open one that was seen before", second);

  await page.getByTestId("conversation-row").first().click();
  await page.getByTestId("composer").click();
  await page.evaluate(watchKeys);
  await page.keyboard.type("The cottage is free from the first of the month, would you like to see it?", { delay: 80 });
  figure("a key in the composer, until it is drawn", await page.evaluate(() => window.keys));

  if (process.env.SPEED_REQUESTS)
    for (const [from, to, size, path] of requests)
      console.log(String(from).padStart(6), String(to).padStart(6), String(size).padStart(8), path);
} finally {
  for (const end of ends.reverse()) await end();
}
