import assert from "node:assert/strict";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

/** A finger that rests on something, and leaves. */
async function rest(page, what) {
  await what.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await what.boundingBox();
  const finger = await page.context().newCDPSession(page);
  const at = [{ x: x + width / 2, y: y + height / 2 }];
  await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at });
  await page.getByRole("menu").waitFor();
  await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await finger.detach();
}

story("a finger that rests on a row or a message opens its menu, and the menu stays", async (stage) => {
  const shop = await stage.workspace({ viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true });
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Is it still free?");
  await shop.customer("محمد العلي").says("مرحبا، هل البيت متاح؟");
  const talk = await shop.conversation(asha);

  const page = await shop.owner.open("/chat");
  const inbox = new Inbox(page);
  // A name in another script begins where the others do.
  const name = (who) => inbox.row(who).locator("span[dir=auto]").first();
  const edge = (box) => {
    const words = document.createRange();
    words.selectNodeContents(box);
    return Math.round(words.getBoundingClientRect().left);
  };
  assert.equal(await name("محمد العلي").evaluate(edge), await name("Asha Naidoo").evaluate(edge));

  const row = inbox.row("Asha Naidoo");
  await row.getByText("1 unread message").waitFor({ state: "attached" });
  await rest(page, row);
  const menu = page.getByTestId("row-menu");
  await menu.getByRole("menuitem", { name: "Mark as read" }).tap();
  await menu.waitFor({ state: "detached" });
  await row.getByText("1 unread message").waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).pathname, "/chat", "the row did not open");

  await page.goto(`${stage.server}/chat/${talk}`);
  await rest(page, inbox.message("Is it still free?").locator("article"));
  await page.getByRole("menuitem", { name: "Reply" }).tap();
  await page.getByTestId("replying").getByText("Is it still free?").waitFor();
});
