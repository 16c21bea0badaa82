import assert from "node:assert/strict";
import { story } from "../support/story.js";

const theme = (page) => page.evaluate(() => document.documentElement.dataset.theme);

story("the chosen theme is kept, and is there before the first paint", async (stage) => {
  const shop = await stage.workspace({ linked: false, colorScheme: "light" });
  const page = await shop.owner.open();
  await page.getByTestId("user-menu").waitFor();
  assert.equal(await theme(page), "light", "the system's, as long as nothing is chosen");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await page.emulateMedia({ colorScheme: "light" });

  await page.getByTestId("user-menu").click();
  await page.getByRole("menuitemcheckbox", { name: "Dark" }).click();
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  const next = await shop.owner.context.newPage();
  await next.addInitScript(() => {
    new MutationObserver((_, watcher) => {
      if (!document.body) return;
      window.themeAtBody = document.documentElement.dataset.theme;
      watcher.disconnect();
    }).observe(document, { childList: true, subtree: true });
  });
  await next.goto(`${stage.server}/chat`);
  assert.equal(await next.evaluate(() => window.themeAtBody), "dark");
  await page.reload();
  assert.equal(await theme(page), "dark");
});

story("the sidebar stays as narrow as it was made", async (stage) => {
  const shop = await stage.workspace({ linked: false });
  const page = await shop.owner.open("/contacts");
  const toggle = page.getByTestId("rail-toggle");
  await toggle.and(page.locator('[aria-expanded="true"]')).waitFor();
  await toggle.click();
  await toggle.and(page.locator('[aria-expanded="false"]')).waitFor();
  await page.reload();
  await toggle.and(page.locator('[aria-expanded="false"]')).waitFor();
});
