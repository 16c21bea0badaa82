import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { Inbox } from "../support/screen.js";
import { startServer } from "../support/servers.js";
import { story } from "../support/story.js";

const MANY = 100_000;
const run = promisify(execFile);

/** Fills the database of a server that does not run. */
async function seed(data, slug) {
  const text = await readFile(path.join(import.meta.dirname, "many.sql"), "utf8");
  const file = path.join(data, "many.sql");
  await writeFile(file, text.replaceAll(":many", String(MANY)).replaceAll(":slug", `'${slug}'`));
  await run("sqlite3", ["-bail", path.join(data, "indaba.db"), `.read ${file}`]);
}

/** Milliseconds from the click on a row to the frame that shows that conversation's last message. */
function switchTo(page, name, words) {
  return page.evaluate(
    ([who, said]) =>
      new Promise((done) => {
        const shows = () =>
          document.querySelector('[data-testid="thread-name"]')?.textContent.includes(who) &&
          [...document.querySelectorAll('[data-testid="thread"] [data-testid="message"]')].some((one) =>
            one.textContent.includes(said),
          );
        const row = [...document.querySelectorAll('[data-testid="conversation-row"]')].find((one) =>
          one.textContent.includes(who),
        );
        performance.mark("click");
        row.click();
        const look = () => {
          if (!shows()) return requestAnimationFrame(look);
          // The frame after the one that drew it: it is on the screen.
          requestAnimationFrame(() => done(performance.measure("switch", "click").duration));
        };
        requestAnimationFrame(look);
      }),
    [name, words],
  );
}

const at = (list, share) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];

story(
  `${MANY.toLocaleString("en")} conversations scroll with a few rows in the page, and a known one opens at once`,
  async (stage, t) => {
    const before = await startServer(stage.simulator, { name: "many" });
    stage.server = before.url;
    const shop = await stage.workspace({ server: before.url });
    const { tenant } = await shop.owner.api("GET", "/me");
    await before.program.stop();
    const seeding = performance.now();
    await seed(before.data, tenant.slug);
    t.diagnostic(`seeded ${MANY} conversations in ${Math.round(performance.now() - seeding)} ms`);
    const server = await startServer(stage.simulator, { name: "many", again: before });
    try {
      const page = await shop.owner.open();
      const inbox = new Inbox(page);
      await inbox.rows.first().waitFor();
      await page.getByText(`${MANY.toLocaleString("en-ZA")} open`).waitFor();
      const small = await page.evaluate(() => document.querySelectorAll("*").length);

      // Down through the list as fast as it comes, frame by frame, past many pages of it.
      const far = 600;
      const scroll = await page.evaluate(
        async (goal) => {
          const box = document.querySelector('[data-testid="conversation-scroller"]');
          const frames = [];
          let rows = 0;
          let nodes = 0;
          let last = performance.now();
          while (!box.textContent.includes(goal)) {
            box.scrollTop += 240;
            await new Promise(requestAnimationFrame);
            const now = performance.now();
            frames.push(now - last);
            last = now;
            rows = Math.max(rows, box.querySelectorAll('[data-testid="conversation-row"]').length);
            nodes = Math.max(nodes, document.querySelectorAll("*").length);
          }
          return { frames, rows, nodes };
        },
        `Customer ${String(far).padStart(6, "0")}`,
      );
      t.diagnostic(
        `scrolled past ${far} rows: at most ${scroll.rows} rows and ${scroll.nodes} nodes in the page, ` +
          `frames p50 ${at(scroll.frames, 0.5).toFixed(1)} ms, p95 ${at(scroll.frames, 0.95).toFixed(1)} ms`,
      );
      assert.ok(scroll.rows <= 60, `${scroll.rows} rows were in the page at once`);
      assert.ok(scroll.nodes < small + 1_500, `${scroll.nodes} nodes, and ${small} before`);

      // A conversation that was open before is shown again from what the page knows.
      await page.getByTestId("conversation-scroller").evaluate((box) => box.scrollTo({ top: 0 }));
      const two = ["Customer 000001", "Customer 000002"];
      for (const name of two) await inbox.openRow(name);
      const took = [];
      for (let round = 0; round < 10; round += 1)
        for (const name of two) took.push(await switchTo(page, name, `Question of ${name}`));
      t.diagnostic(
        `a known conversation is shown in p50 ${at(took, 0.5).toFixed(0)} ms, p95 ${at(took, 0.95).toFixed(0)} ms`,
      );
      // The goal is 100 ms; a machine that does ten other things may take longer.
      assert.ok(at(took, 0.5) < 400, `it took ${at(took, 0.5)} ms`);
    } finally {
      await server.program.stop();
    }
  },
  { timeout: 120_000 },
);
