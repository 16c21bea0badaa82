import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { everyPage } from "../support/routes.js";
import { story } from "../support/story.js";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  resultTypes: ["violations"],
};

/** What axe finds serious or critical on the page as it is now. */
async function findings(page) {
  // What moves for a moment has come to rest; what turns for ever (a spinner) is left alone.
  await page.evaluate(() => {
    const ends = document.getAnimations().filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime));
    return Promise.all(ends.map((one) => one.finished.catch(() => undefined)));
  });
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate((options) => window.axe.run(document, options), rules);
  return violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id} (${one.impact}): ${one.nodes.map((node) => node.html.slice(0, 160)).join("\n      ")}`);
}

for (const colorScheme of ["light", "dark"])
  for (const width of [360, 1440])
    story(
      `axe finds nothing serious on any route, ${colorScheme}, ${width} px`,
      async (stage) => {
        const bad = [];
        for await (const { page, path } of everyPage(stage, { colorScheme, viewport: { width, height: 800 } })) {
          for (const one of await findings(page)) bad.push(`${path}: ${one}`);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          if (overflow > 0) bad.push(`${path}: ${overflow} px wider than the window`);
        }
        if (bad.length > 0) throw new Error(bad.join("\n"));
      },
      { timeout: 150_000 },
    );

story("the menus and dialogs over the thread are as good", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Hello");
  const page = await shop.owner.open(`/chat/${await shop.conversation(asha)}`);
  const bad = [];
  const look = async (what) => {
    for (const one of await findings(page)) bad.push(`${what}: ${one}`);
  };
  await page.getByTestId("message").hover();
  await page.getByTestId("message-menu").click();
  await page.getByRole("menu").waitFor();
  await look("the message's menu");
  await page.getByRole("menuitem", { name: "Details" }).click();
  await page.getByTestId("details").waitFor();
  await look("the details");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByTestId("shortcuts").waitFor();
  await look("the shortcuts");
  await page.keyboard.press("Escape");
  await page.getByTestId("shortcuts").waitFor({ state: "detached" });
  await page.keyboard.press("Control+k");
  await page.getByTestId("palette").waitFor();
  await look("the palette");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Emoji" }).click();
  await page.getByTestId("emoji-picker").waitFor();
  await look("the emoji");
  await page.keyboard.press("Escape");
  await page.getByTestId("record").click();
  await page.getByTestId("recorder-stop").click();
  await page.getByTestId("recorder-send").waitFor();
  await look("the recorder");
  if (bad.length > 0) throw new Error(bad.join("\n"));
});
