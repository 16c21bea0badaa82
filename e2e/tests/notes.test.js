import assert from "node:assert/strict";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

story("a colleague sees labels and notes at once, and the customer never", async (stage) => {
  const shop = await stage.workspace();
  const lerato = await shop.colleague("Lerato Dube");
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Good morning");
  await shop.customer("Pieter Botha").says("Hello");
  const id = await shop.conversation(asha);

  // the owner makes a label
  const here = new Inbox(await shop.owner.open("/settings/labels"));
  await here.page.getByTestId("label-name").fill("Hot lead");
  await here.page.getByText("Amber", { exact: true }).click();
  await here.page.getByTestId("label-save").click();
  await here.page.getByTestId("labels").getByText("Hot lead").waitFor();
  await here.page.goto(`${stage.server}/chat/${id}`);

  // the colleague puts it on by the keyboard
  const there = new Inbox(await lerato.open(`/chat/${id}`));
  await there.message("Good morning").waitFor();
  await there.page.keyboard.press("l");
  await there.page.getByRole("menuitemcheckbox", { name: "Hot lead" }).click();
  await there.page.keyboard.press("Escape");
  await here.row("Asha Naidoo").getByText("Hot lead").waitFor();
  await here.page.getByRole("button", { name: "Filter" }).click();
  await here.page.getByRole("menuitemcheckbox", { name: "Hot lead" }).click();
  await here.row("Pieter Botha").waitFor({ state: "detached" });
  await here.row("Asha Naidoo").waitFor();

  // and writes a note that names the owner
  await there.page.keyboard.press("n");
  const field = there.page.getByTestId("note-text");
  await field.pressSequentially("@nal");
  await there.page.getByTestId("note-form").getByRole("option", { name: "Naledi Khumalo" }).waitFor();
  await there.page.keyboard.press("Enter");
  await field.pressSequentially("she wants a garden");
  await there.page.keyboard.press("Enter");
  for (const inbox of [there, here]) {
    const note = inbox.thread.getByTestId("note");
    await note.getByText("she wants a garden").waitFor();
    assert.equal(await note.locator("b").textContent(), "@Naledi Khumalo");
  }
  await here.thread.getByTestId("note").getByText("Lerato Dube").waitFor();

  // what is said next goes out, and alone
  await there.page.keyboard.press("Escape");
  await there.page.keyboard.press("r");
  await there.say("Good morning, how can I help?");
  await there.is("Good morning, how can I help?", "delivered");
  assert.deepEqual(
    (await asha.chat()).map((message) => message.body),
    ["Good morning", "Good morning, how can I help?"],
  );

  // it is there after a reload, and its author takes it away again
  await there.page.reload();
  const note = there.thread.getByTestId("note");
  await note.hover();
  await note.getByRole("button", { name: "Delete this note" }).click();
  await there.page.getByRole("button", { name: "Delete note" }).click();
  await here.thread.getByTestId("note").waitFor({ state: "detached" });
});
