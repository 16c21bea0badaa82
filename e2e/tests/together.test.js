import assert from "node:assert/strict";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

story("two people in two browsers see each other's work", async (stage) => {
  const shop = await stage.workspace();
  const lerato = await shop.colleague("Lerato Dube");
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Good morning");
  const id = await shop.conversation(asha);
  const here = new Inbox(await shop.owner.open());
  const there = new Inbox(await lerato.open(`/chat/${id}`));
  await there.message("Good morning").waitFor();
  await here.row("Asha Naidoo").getByText("1 unread message").waitFor({ state: "detached" });

  await there.page.keyboard.press("i");
  await here.row("Asha Naidoo").getByText("Lerato Dube").waitFor();
  await there.say("Good morning, how can I help?");
  await here.row("Asha Naidoo").getByText("Good morning, how can I help?").waitFor();
  await here.openRow("Asha Naidoo");
  await here.is("Good morning, how can I help?", "delivered");
  await here.message("Good morning, how can I help?").getByText("Lerato Dube").waitFor();

  await asha.opens();
  await Promise.all([
    here.is("Good morning, how can I help?", "read"),
    there.is("Good morning, how can I help?", "read"),
  ]);
  await here.say("I take it from here, Lerato.");
  await there.message("I take it from here, Lerato.").getByText("Naledi Khumalo").waitFor();

  await here.page.getByTestId("resolve").click();
  await there.page.getByTestId("resolve").filter({ hasText: "Reopen" }).waitFor();
  await there.row("Asha Naidoo").waitFor({ state: "detached" });
  await asha.says("One more thing");
  await there.row("Asha Naidoo").getByText("One more thing").waitFor();
  assert.deepEqual(await there.order(["One more thing", "I take it from here"]), [
    "I take it from here",
    "One more thing",
  ]);
});

story("what one tab does shows in the other", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Hello");
  const id = await shop.conversation(asha);
  const one = new Inbox(await shop.owner.open(`/chat/${id}`));
  const two = new Inbox(await shop.owner.open(`/chat/${id}`));
  await two.message("Hello").waitFor();
  await one.say("First tab");
  await one.is("First tab", "delivered");
  await two.is("First tab", "delivered");
  await two.say("Second tab");
  await two.is("Second tab", "delivered");
  await one.is("Second tab", "delivered");
});

story(
  "who is away is seen by the others, and who is called is called once, elsewhere than where they look",
  async (stage) => {
    const shop = await stage.workspace();
    const lerato = await shop.colleague("Lerato Dube");
    const asha = shop.customer("Asha Naidoo");
    await asha.says("Good morning");
    const id = await shop.conversation(asha);
    const here = await shop.owner.open(`/chat/${id}`);
    const there = await lerato.open("/settings/notifications");

    // Only the switch asks for the permission. What would be shown is noted instead: no system stands behind this browser.
    await there.addInitScript(() => {
      window.shown = [];
      window.Notification = class {
        static permission = "default";
        static async requestPermission() {
          window.Notification.permission = "granted";
          return "granted";
        }
        constructor(title, { body }) {
          window.shown.push([title, body]);
        }
      };
      document.hasFocus = () => false;
    });
    await there.reload();
    await there.getByRole("radio", { name: "All conversations" }).check();
    await there.getByRole("switch", { name: "Desktop alerts" }).click();
    await there.getByTestId("user-menu").click();
    await there.getByRole("menuitemcheckbox", { name: "Away" }).click();

    await here.getByTestId("assign").click();
    await here.getByRole("menuitemcheckbox", { name: "Lerato Dube Away" }).waitFor();
    await here.keyboard.press("Escape");
    // What calls comes when the page has rested for two seconds.
    await there.waitForFunction(() =>
      performance.getEntriesByType("resource").some(({ name }) => name.includes("/assets/alerts-")),
    );
    const bongani = shop.customer("Bongani Sithole");
    await bongani.says("Is *it* still free?");
    await there.waitForFunction(() => window.shown.length > 0);
    assert.deepEqual(await there.evaluate(() => window.shown), [["Bongani Sithole", "Is it still free?"]]);
    await there.getByText("unread conversation").waitFor({ state: "attached" });
    assert.match(await there.title(), /^\(1\) /);
    assert.equal(await there.locator('link[rel="icon"]').getAttribute("href"), "/favicon-unread.svg");

    // Another tab of hers shows the conversation, and she looks at it: this one is silent until that is closed.
    const looking = new Inbox(await lerato.open(`/chat/${await shop.conversation(bongani)}`));
    await looking.composer.waitFor();
    await bongani.says("Hello?");
    await looking.message("Hello?").waitFor();
    await looking.page.close();
    await asha.says("Good evening");
    await there.waitForFunction(() => window.shown.length > 1);
    assert.deepEqual(await there.evaluate(() => window.shown[1]), ["Asha Naidoo", "Good evening"]);

    await there.reload();
    await there.getByRole("radio", { name: "All conversations" }).and(there.locator(":checked")).waitFor();
    await there.getByTestId("user-menu").getByTestId("presence").and(there.locator('[data-away="true"]')).waitFor();
  },
);
