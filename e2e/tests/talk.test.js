import assert from "node:assert/strict";
import { until } from "../support/processes.js";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

story("a customer writes, a person answers, and the ticks move as the phone says", async (stage) => {
  const shop = await stage.workspace();
  const inbox = new Inbox(await shop.owner.open());
  const asha = shop.customer("Asha Naidoo");
  await asha.acks({ server: 0, device: null, read: null });
  await asha.says("Is the cottage in Hermanus still to let?");
  await inbox.row("Asha Naidoo").waitFor();
  await inbox.openRow("Asha Naidoo");
  await inbox.message("Is the cottage in Hermanus still to let?").waitFor();
  await inbox.row("Asha Naidoo").getByText("1 unread message").waitFor({ state: "detached" });

  await inbox.say("It is, from 1 August.");
  await inbox.is("It is, from 1 August.", "sent");
  assert.equal(await inbox.tick("It is, from 1 August."), "sent");
  const arrived = await asha.gets((message) => message.body === "It is, from 1 August.");
  await asha.acknowledges(arrived, "DEVICE");
  await inbox.is("It is, from 1 August.", "delivered");
  await asha.acknowledges(arrived, "READ");
  await inbox.is("It is, from 1 August.", "read");
  assert.match(await inbox.tick("It is, from 1 August."), /^read \d\d:\d\d$/);
  await inbox.row("Asha Naidoo").locator('[data-testid="tick"][data-state="read"]').waitFor();

  const question = (await asha.chat()).find((message) => !message.fromMe);
  assert.equal(question.seenByBusiness, true, "the customer sees that it was read");
});

story("answers quote, reactions go both ways, and edits and deletions show", async (stage) => {
  const shop = await stage.workspace();
  const lindiwe = shop.customer("Lindiwe Dlamini");
  const asked = await lindiwe.says("Two bedrooms or three?");
  const inbox = new Inbox(await shop.owner.open(`/chat/${await shop.conversation(lindiwe)}`));
  const bubble = inbox.thread.locator(`[data-direction="inbound"]`).filter({ hasText: "Two bedrooms or three?" });
  await bubble.hover();
  await bubble.getByTestId("message-menu").click();
  await inbox.page.getByRole("menuitem", { name: "Reply" }).click();
  await inbox.page.getByTestId("replying").waitFor();
  await inbox.say("Three, and a garden.");
  const answer = await lindiwe.gets((message) => message.body === "Three, and a garden.");
  assert.equal(answer.quoted?.id, asked.id);
  await inbox.is("Three, and a garden.", "delivered");

  await lindiwe.says("Lovely", { replyTo: answer.id });
  await inbox.message("Lovely").getByText("Three, and a garden.").waitFor();
  await fetch(`${stage.simulator}/control/numbers/${shop.phone}/messages/${answer.id}/reaction`, {
    method: "POST",
    body: JSON.stringify({ from: lindiwe.phone, emoji: "👍" }),
  });
  await inbox.thread.locator(`[data-direction="outbound"]`).getByRole("button", { name: "👍, 1 reaction" }).waitFor();

  await bubble.hover();
  await bubble.getByTestId("message-menu").click();
  await inbox.page.getByRole("menuitem", { name: "React with ❤️" }).click();
  await bubble.getByRole("button", { name: "❤️, 1 reaction" }).waitFor();
  await lindiwe.gets(() => true);
  const said = await lindiwe.says("At 11:00?");
  await inbox.message("At 11:00?").waitFor();
  for (const [what, body] of [["edit", { body: "At 12:00?" }]])
    await fetch(`${stage.simulator}/control/numbers/${shop.phone}/messages/${said.id}/${what}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
  await inbox.message("At 12:00?").getByText("edited").waitFor();
  await fetch(`${stage.simulator}/control/numbers/${shop.phone}/messages/${said.id}/revoke`, { method: "POST" });
  await inbox.message("This message was deleted").waitFor();
});

story("what the owner writes on the phone shows as theirs, and typing shows while it lasts", async (stage) => {
  const shop = await stage.workspace();
  const sipho = shop.customer("Sipho Zulu");
  await sipho.says("Are you open on Saturday?");
  const inbox = new Inbox(await shop.owner.open(`/chat/${await shop.conversation(sipho)}`));
  await inbox.message("Are you open on Saturday?").waitFor();
  // Who writes goes on writing: the gateway is asked to tell it only once somebody looks at the conversation.
  const typing = inbox.page.getByTestId("typing").filter({ hasText: "Sipho Zulu is typing" });
  await until("the page to say that Sipho types", async () => {
    await sipho.types();
    return await typing.isVisible();
  });
  await sipho.types("paused");
  await inbox.page.getByTestId("typing").waitFor({ state: "detached" });
  await sipho.says("Until one o'clock.", { from: "me", chat: sipho.phone });
  await inbox.message("Until one o'clock.").getByText("From the phone").waitFor();
});

story("what was said is found again by its words", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("We would need a ramp for the wheelchair");
  await shop.customer("Pieter Botha").says("Is the deposit refundable?");
  const inbox = new Inbox(await shop.owner.open());
  await inbox.row("Pieter Botha").waitFor();
  await inbox.page.keyboard.press("/");
  await inbox.page.keyboard.type("wheelchair");
  const hit = inbox.page.getByTestId("search-hit");
  await hit.filter({ hasText: "Asha Naidoo" }).click();
  await inbox.message("We would need a ramp for the wheelchair").waitFor();
  assert.equal(await hit.count(), 1);
});
