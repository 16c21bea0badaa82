import assert from "node:assert/strict";
import { control } from "../support/phone.js";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

const sendText = { method: "POST", path: "/api/sendText" };

async function talking(stage) {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Hello");
  const inbox = new Inbox(await shop.owner.open(`/chat/${await shop.conversation(asha)}`));
  await inbox.message("Hello").waitFor();
  const effects = () => control(stage.simulator, "GET", `/effects?session=${shop.sessionName}`);
  return { shop, asha, inbox, effects };
}

story("a send that failed says why, and goes out when it is tried again", async (stage) => {
  const { shop, asha, inbox } = await talking(stage);
  const refusal = { statusCode: 400, message: "text is not what WhatsApp takes", error: "Bad Request" };
  await shop.fault(sendText, { kind: "answer", status: 400, body: refusal }, { count: 1 });
  await inbox.say("Will you come by?");
  await inbox.is("Will you come by?", "failed");
  const trouble = inbox.message("Will you come by?").getByTestId("trouble");
  const why = await trouble.textContent();
  assert.ok(why.replace("Try again", "").trim().length > 10, `a reason in words: ${why}`);
  await inbox.row("Asha Naidoo").getByText("Not sent").waitFor();
  await trouble.getByRole("button", { name: "Try again" }).click();
  await asha.gets((message) => message.body === "Will you come by?");
  await inbox.thread.locator('[data-state="delivered"]').filter({ hasText: "Will you come by?" }).waitFor();
});

story("while WhatsApp locks the account, a message waits, and the number says why", async (stage) => {
  const { shop, asha, inbox } = await talking(stage);
  await shop.fault(sendText, { kind: "timelock" }, { count: 1 });
  await inbox.say("Will you come by?");
  await inbox.is("Will you come by?", "queued");
  await inbox.page.goto(`${stage.server}/instances`);
  const card = inbox.page.getByTestId("number-card");
  await card.getByText("Paused").waitFor();
  await card
    .getByText(/WhatsApp/)
    .first()
    .waitFor();
  assert.equal((await asha.chat()).filter((message) => message.fromMe).length, 0, "nothing went out");
});

story(
  "of an uncertain send nobody pretends to know, and there are three ways on",
  async (stage) => {
    const { shop, inbox, effects } = await talking(stage);
    // One conversation each: they wait for their looks at the gateway beside each other.
    const people = ["Pieter Botha", "Sipho Zulu", "Lindiwe Dlamini"].map((name) => shop.customer(name));
    for (const one of people) await one.says("Hi");
    const { id } = await shop.fault(sendText, { kind: "cut" });
    for (const one of people) {
      await inbox.openRow(one.name);
      await inbox.say(`Is it you, ${one.name}?`);
      await inbox.is(`Is it you, ${one.name}?`, "sending");
    }
    const [checked, marked, again] = people;
    const asked = (one) => `Is it you, ${one.name}?`;
    const trouble = (one) => inbox.message(asked(one)).getByTestId("trouble");
    const known = async (one, state) => {
      await inbox.openRow(one.name);
      await inbox.thread
        .locator(`[data-testid="message"][data-state="${state}"]`)
        .filter({ hasText: asked(one) })
        .waitFor({ timeout: 40_000 });
    };
    for (const one of people) await known(one, "unknown");
    await control(stage.simulator, "DELETE", `/faults/${id}`);
    await inbox.row(again.name).getByText("Delivery unknown").waitFor();
    await trouble(again).getByText("We cannot tell whether it left.").waitFor();
    assert.equal((await effects()).items.length, 0, "it was not sent again by itself");
    await trouble(again).getByRole("button", { name: "More" }).click();
    await inbox.page.getByRole("menuitem", { name: "Send again, it may arrive twice" }).click();
    await again.gets((message) => message.body === asked(again));
    await known(again, "delivered");
    assert.equal((await effects()).mostOften, 1);

    await inbox.openRow(checked.name);
    await trouble(checked).getByRole("button", { name: "Check again" }).click();
    await inbox.page.getByText("Still unknown").waitFor();
    await known(checked, "unknown");

    await inbox.openRow(marked.name);
    await trouble(marked).getByRole("button", { name: "More" }).click();
    await inbox.page.getByRole("menuitem", { name: "Mark as sent" }).click();
    await known(marked, "sent");
  },
  { timeout: 90_000 },
);

story("a gateway that is slow or down for a moment delays, and changes nothing else", async (stage) => {
  const { shop, asha, inbox, effects } = await talking(stage);
  await shop.fault(sendText, { kind: "tooMany", retryAfterS: 1 }, { count: 1 });
  await inbox.say("A moment, please");
  await inbox.is("A moment, please", "delivered");
  await asha.gets((message) => message.body === "A moment, please");
  assert.equal((await effects()).mostOften, 1);
});
