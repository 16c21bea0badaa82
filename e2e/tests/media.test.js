import assert from "node:assert/strict";
import { photo, voiceNote } from "../support/files.js";
import { control } from "../support/phone.js";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

const bytes = async (simulator, message) => {
  const answer = await fetch(simulator + message.media.url);
  return Buffer.from(await answer.arrayBuffer());
};

story("a photo goes both ways", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.sends("image", "image/png", photo(320, 200), { body: "The gate" });
  const inbox = new Inbox(await shop.owner.open(`/chat/${await shop.conversation(asha)}`));
  const shown = inbox.message("The gate").locator("img");
  await shown.waitFor();
  const size = await shown.evaluate(async (image) => {
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  });
  assert.deepEqual(size, [320, 200]);
  await shown.click();
  await inbox.page.getByRole("dialog").getByRole("img").first().waitFor();
  await inbox.page.keyboard.press("Escape");
  await inbox.page.getByRole("dialog").waitFor({ state: "detached" });

  const sent = photo(400, 300);
  await inbox.page.getByTestId("file-input").setInputFiles({ name: "view.png", mimeType: "image/png", buffer: sent });
  await inbox.page.getByTestId("tray").waitFor();
  await inbox.say("The view from the stoep");
  await inbox.is("The view from the stoep", "delivered");
  const got = await asha.gets((message) => message.kind === "image");
  assert.equal(got.body, "The view from the stoep");
  assert.deepEqual(await bytes(stage.simulator, got), sent, "the very bytes");
});

story("a document keeps its name both ways", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.sends("document", "application/pdf", "%PDF-1.4\n%%EOF\n", { filename: "lease.pdf" });
  const inbox = new Inbox(await shop.owner.open(`/chat/${await shop.conversation(asha)}`));
  const link = inbox.thread.getByRole("link", { name: /lease\.pdf/ });
  await link.waitFor();
  const [download] = await Promise.all([inbox.page.waitForEvent("download"), link.click()]);
  assert.equal(download.suggestedFilename(), "lease.pdf");
  await inbox.page.getByTestId("file-input").setInputFiles({
    name: "house rules.pdf",
    mimeType: "application/pdf",
    buffer: Buffer.from("%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n"),
  });
  await inbox.say("Please sign");
  await inbox.is("Please sign", "delivered");
  const got = await asha.gets((message) => message.kind === "document");
  assert.equal(got.media.filename, "house rules.pdf");
});

story("a voice note goes both ways", async (stage) => {
  const shop = await stage.workspace();
  const thabo = shop.customer("Thabo Nkosi");
  await thabo.sends("voice", "audio/ogg; codecs=opus", await voiceNote(stage.simulator));
  const inbox = new Inbox(await shop.owner.open(`/chat/${await shop.conversation(thabo)}`));
  await inbox.messages.getByRole("button", { name: "Play" }).click();
  await inbox.messages.getByRole("button", { name: "Pause" }).waitFor();

  await inbox.page.getByTestId("record").click();
  await inbox.page.getByTestId("recorder").getByText("0:01").waitFor();
  await inbox.page.getByTestId("recorder-stop").click();
  await inbox.page.getByTestId("recorder-send").click();
  await inbox.thread.locator('[data-direction="outbound"][data-state="delivered"]').waitFor();
  const got = await thabo.gets((message) => message.kind === "voice");
  assert.ok((await bytes(stage.simulator, got)).length > 1_000, "with a sound in it");
  const { items } = await control(stage.simulator, "GET", "/recording?path=/api/sendVoice&limit=1000");
  const [asked] = items.filter((one) => one.body.session === shop.sessionName);
  assert.equal(asked.body.convert, true, "what a browser records is turned into what WhatsApp plays");
});

story("photos sent one after the other are one grid, in which each that is shown keeps its own state and menu", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Photos of the garden, please");
  const inbox = new Inbox(await shop.owner.open(`/chat/${await shop.conversation(asha)}`));
  const files = [1, 2, 3, 4, 5].map((at) => ({
    name: `${at}.png`,
    mimeType: "image/png",
    buffer: photo(200 + at, 150),
  }));
  await inbox.page.getByTestId("file-input").setInputFiles(files);
  await inbox.page.getByTestId("composer-send").click();
  const ours = inbox.thread.getByTestId("album");
  await ours.getByText("+1").waitFor();
  // One tick for all of them: none is on its way any more.
  await ours.locator('time + [data-testid="tick"][data-state="delivered"]').waitFor();

  await ours.getByRole("button", { name: "Open: Photo, 2 of 5" }).focus();
  await inbox.page.keyboard.press("Enter");
  const large = inbox.page.getByRole("dialog", { name: "Picture 2 of 5" });
  await large.getByTestId("lightbox-state").filter({ hasText: "delivered" }).waitFor();
  await inbox.page.keyboard.press("ArrowRight");
  await inbox.page.getByRole("dialog", { name: "Picture 3 of 5" }).waitFor();
  await inbox.page.keyboard.press("Escape");

  for (const width of [320, 200]) await asha.sends("image", "image/png", photo(width, 200));
  const theirs = inbox.thread.getByTestId("album").filter({ hasNotText: "+1" });
  await theirs.getByTestId("message").nth(1).waitFor();
  await theirs.getByTestId("message").nth(1).hover();
  await theirs.getByTestId("message").nth(1).getByRole("button", { name: "What to do with this message" }).click();
  await inbox.page.getByRole("menuitem", { name: "Reply" }).click();
  await inbox.page.getByTestId("replying").waitFor();

  // What the number stands for has its menu where it is large, by keyboard like all else.
  await ours.getByText("+1").click();
  await inbox.page.getByRole("dialog", { name: "Picture 4 of" }).waitFor();
  await inbox.page.keyboard.press("ArrowRight");
  const last = inbox.page.getByRole("dialog", { name: "Picture 5 of" });
  const menu = last.getByTestId("lightbox-menu");
  await menu.press("Enter");
  await inbox.page.getByRole("menuitem", { name: "React with 👍" }).press("Enter");
  await last.getByTestId("lightbox-state").filter({ hasText: "👍" }).waitFor();
  await menu.press("Enter");
  await inbox.page.getByRole("menuitem", { name: "Reply" }).press("Enter");
  await inbox.composer.and(inbox.page.locator(":focus")).waitFor();
  await inbox.page.keyboard.type("This is the new bed");
  await inbox.page.keyboard.press("Enter");
  await inbox.message("This is the new bed").getByText("Photo").waitFor();
});
