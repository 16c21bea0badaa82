import assert from "node:assert/strict";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";
import { password } from "../support/workspace.js";

const focused = (page) =>
  page.evaluate(() => document.activeElement?.getAttribute("data-testid") ?? document.activeElement?.tagName);

story("somebody signs in, answers and resolves without touching the mouse", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  const pieter = shop.customer("Pieter Botha");
  await asha.says("Is it still free?");
  await shop.conversation(asha);
  await pieter.says("And the other one?");
  await shop.conversation(pieter);

  const page = await (await stage.context()).newPage();
  await page.goto(`${stage.server}/sign-in`);
  await page.getByTestId("sign-in").waitFor();
  await page.keyboard.type(shop.owner.email);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  const inbox = new Inbox(page);
  await inbox.row("Asha Naidoo").waitFor();

  await page.keyboard.press("j");
  await page.getByTestId("thread-name").filter({ hasText: "Pieter Botha" }).waitFor();
  await page.keyboard.press("j");
  await page.getByTestId("thread-name").filter({ hasText: "Asha Naidoo" }).waitFor();
  await inbox.message("Is it still free?").waitFor();
  await page.keyboard.press("r");
  assert.equal(await focused(page), "composer");
  await page.keyboard.type("It is.");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("Come on Saturday.");
  await page.keyboard.press("Enter");
  await inbox.is("Come on Saturday.", "delivered");
  const got = await asha.gets(() => true);
  assert.equal(got.body, "It is.\nCome on Saturday.");

  await page.keyboard.press("Escape");
  assert.notEqual(await focused(page), "composer", "Escape leaves the field");
  await page.keyboard.press("e");
  await page.getByTestId("resolve").filter({ hasText: "Reopen" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByTestId("palette").waitFor();
  await page.keyboard.type("Numbers");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/instances");
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.waitForURL("**/settings/profile");
});

story("a dialog keeps the focus, and gives it back", async (stage) => {
  const shop = await stage.workspace({ linked: false });
  const page = await shop.owner.open("/instances");
  const opener = page.getByTestId("add-number");
  await opener.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByTestId("add-dialog");
  await dialog.waitFor();
  for (let press = 0; press < 12; press += 1) {
    await page.keyboard.press("Tab");
    assert.ok(await dialog.evaluate((box) => box.contains(document.activeElement)), "Tab stays in the dialog");
  }
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.locator('[data-testid="add-number"]:focus').waitFor();
});

story("the first Tab offers to skip to the content", async (stage) => {
  const shop = await stage.workspace({ linked: false });
  const page = await shop.owner.open("/contacts");
  await page.getByTestId("rail").waitFor();
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  assert.ok(await skip.evaluate((link) => link === document.activeElement));
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "content");
});
