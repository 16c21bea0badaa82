import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import path from "node:path";
import { freePort, Program, scratch } from "../support/processes.js";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

/** Starts `make demo` as anybody would, and reads what it prints. */
async function makeDemo() {
  const demo = await Program.start("demo", "make", ["demo"], {
    group: true,
    env: {
      INDABA_LISTEN: `127.0.0.1:${await freePort()}`,
      INDABA_DATA_DIR: await mkdtemp(path.join(scratch, "demo-")),
      MAKEFLAGS: "",
      MAKELEVEL: "",
    },
  });
  const told = await demo.until(
    "the demo to say how to sign in",
    () => {
      const [, url] = demo.said.match(/Indaba\s+(http:\S+)/) ?? [];
      const [, email, password] = demo.said.match(/sign in with (\S+) and the password (\S+)/) ?? [];
      const [, phone] = demo.said.match(/Phone\s+(http:\S+)/) ?? [];
      return url && password && phone && { url, email, password, phone };
    },
    { within: 120_000 },
  );
  return { demo, told };
}

story(
  "make demo ends in a page where a customer's message arrives, is answered, and its ticks move",
  async (stage) => {
    const { demo, told } = await makeDemo();
    try {
      const context = await stage.context();
      const page = await context.newPage();
      await page.goto(told.url);
      await page.getByLabel("Work e-mail").fill(told.email);
      await page.getByLabel("Password", { exact: true }).fill(told.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      const inbox = new Inbox(page);
      await inbox.rows.nth(5).waitFor();

      const phone = await context.newPage();
      await phone.goto(told.phone);
      await phone.locator('body[data-live="true"]').waitFor();
      const customer = phone.getByTestId("customer").first();
      const name = (await customer.locator(".name").textContent()).trim();
      await customer.click();
      await phone.getByTestId("composer-text").fill("Is there parking for two cars?");
      await phone.getByTestId("send").click();

      // Nobody reloads: the row comes to the top, the thread is opened, the answer goes back.
      await page.bringToFront();
      await inbox.row("Is there parking for two cars?").waitFor();
      await inbox.openRow(name);
      await inbox.message("Is there parking for two cars?").waitFor();
      const seen = [];
      await page.exposeFunction("tickIs", (state) => seen.push(state));
      await page.evaluate(() => {
        const look = () => {
          for (const one of document.querySelectorAll('[data-testid="thread"] [data-testid="message"]'))
            if (one.textContent.includes("Two cars, and a bakkie.")) window.tickIs(one.dataset.state);
        };
        new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
      });
      // The phone looks at another chat meanwhile: what arrives there is delivered, and not read yet.
      const chat = (named) => phone.getByTestId("customer").filter({ has: phone.locator(".name", named) });
      await chat({ hasNotText: name }).first().click();
      await inbox.say("Two cars, and a bakkie.");
      await inbox.is("Two cars, and a bakkie.", "delivered");
      await chat({ hasText: name }).first().click();

      const there = phone
        .locator('[data-testid="message"][data-from="business"]')
        .filter({ hasText: "Two cars, and a bakkie." });
      await there.waitFor({ state: "attached" });
      await phone.bringToFront();
      await phone
        .locator('[data-from="business"][data-ack="READ"]')
        .filter({ hasText: "Two cars, and a bakkie." })
        .waitFor();
      // The customer sees that their question was read, too.
      await phone
        .locator('[data-from="customer"]')
        .filter({ hasText: "Is there parking for two cars?" })
        .getByText("Read", { exact: true })
        .waitFor({ state: "attached" });
      await page.bringToFront();
      await inbox.is("Two cars, and a bakkie.", "read");
      const order = ["queued", "sending", "sent", "delivered", "read"].filter((state) => seen.includes(state));
      assert.deepEqual([...new Set(seen)], order, "no tick went back");
      assert.ok(
        ["sent", "delivered", "read"].every((state) => seen.includes(state)),
        `each was shown: ${order}`,
      );
    } finally {
      await demo.stop();
    }
  },
  { timeout: 240_000 },
);
