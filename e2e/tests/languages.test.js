import assert from "node:assert/strict";
import { everyPage } from "../support/routes.js";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";
import { password } from "../support/workspace.js";

/** What stands on the page that no catalogue has: people, their words, and names of things of the server. */
const data = new RegExp(
  [
    /https?:\S+|\S+@example\.com|127\.0\.0\.1(:\d+)?/,
    /\b(ins|job|sin|msg|cnv|req|gtw)_\w+/,
    /Asha( Naidoo)?|Pieter Botha|Naledi Khumalo|Protea Homes|Sales|Rentals/,
    /Is the \*?stoep\*? covered\?|\bstoep\b|Hello|Hot lead|Wants a garden/,
    /WhatsApp Web|NOWEB|Africa\/Johannesburg|South Africa|English|(Headless)?Chrome|Linux/,
    /alt\+T/, // the keys to what pops up
    /\d{1,2} [A-Z][a-z]+ \d{4}/, // dates are written by the browser
  ]
    .map((one) => one.source)
    .join("|"),
);

/** Runs in the page: texts that are in no catalogue, and texts of it that 40 % more length pushes out of sight. */
function look(known) {
  const data = new RegExp(known, "g");
  const found = [];
  const say = (what, text, at) =>
    found.push(
      `${what}: "${text.trim().slice(0, 60)}" in <${at.tagName.toLowerCase()} class="${String(at.className).slice(0, 80)}">`,
    );
  // The made-up language has no plain letters: three of them in a row were not in the catalogue.
  const plain = (text, at) => {
    if (/[A-Za-z]{3,}/.test(text.replace(data, " "))) say("plain", text, at);
  };
  const scrolls = (style) => /auto|scroll/.test(style.overflowX) || /auto|scroll/.test(style.overflowY);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node instanceof Element) {
      for (const name of ["aria-label", "title", "placeholder", "alt"]) {
        const value = node.getAttribute(name);
        if (value && !node.closest("time,[data-sonner-toaster]")) plain(value, node);
      }
      continue;
    }
    const at = node.parentElement;
    if (!node.textContent.trim() || !at.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (at.closest("script,style,option,time,kbd,code,.code,.sr-only")) continue;
    // What people write carries its own direction.
    if (!at.closest("[dir=auto]")) plain(node.textContent, at);
    if (!node.textContent.includes("⟦")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()];
    // Out of the window, or cut by a box that neither scrolls nor shows what does not fit.
    for (let box = at; box; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (scrolls(style)) break;
      const edge = box === document.documentElement ? { left: 0, right: innerWidth } : box.getBoundingClientRect();
      if (box !== document.documentElement && style.overflowX === "visible") continue;
      // What says all of it when it is pointed at may be cut.
      if (!at.closest("[title]") && boxes.some((one) => one.right > edge.right + 1 || one.left < edge.left - 1)) {
        say("cut", node.textContent, at);
        break;
      }
    }
  }
  const wider = document.documentElement.scrollWidth - innerWidth;
  if (wider > 0) found.push(`the page is ${wider} px wider than the window`);
  return found;
}

for (const width of [360, 1440])
  story(
    `no text is hard-coded, and 40 % more of it fits, ${width} px`,
    async (stage) => {
      const bad = [];
      for await (const { page, path } of everyPage(stage, { viewport: { width, height: 800 } }, "pseudo"))
        for (const one of await page.evaluate(look, data.source)) bad.push(`${path}: ${one}`);
      if (bad.length > 0) throw new Error(bad.join("\n"));
    },
    { timeout: 120_000 },
  );

story(
  "every page runs from right to left in Arabic, and fits a small window",
  async (stage) => {
    for await (const { page, path } of everyPage(stage, { viewport: { width: 360, height: 780 } }, "ar")) {
      assert.equal(await page.evaluate(() => document.dir), "rtl", path);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, `${path} fits`);
    }
  },
  { timeout: 120_000 },
);

story("a page in Arabic runs from right to left, and people's words run their own way", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Is it still free?");
  const talk = await shop.conversation(asha);

  // The door speaks English until somebody asks for another language.
  const page = await (await stage.context()).newPage();
  await page.goto(`${stage.server}/sign-in`);
  await page.getByTestId("language").click();
  await page.getByRole("menuitemcheckbox", { name: "العربية" }).click();
  await page.getByRole("heading", { name: "تسجيل الدخول" }).waitFor();
  assert.deepEqual(await page.evaluate(() => [document.dir, document.documentElement.lang]), ["rtl", "ar"]);
  await page.locator("input[name=email]").fill(shop.owner.email);
  await page.locator("input[name=password]").fill(password);
  await page.keyboard.press("Enter");

  const inbox = new Inbox(page);
  await inbox.openRow("Asha Naidoo");
  const place = async (what) => await what.evaluate((box) => box.getBoundingClientRect().toJSON());
  assert.ok((await place(page.getByTestId("rail"))).left > 1440 - 80, "the rail is on the right");
  await inbox.say("Yes, come on Saturday!");
  await inbox.is("Yes, come on Saturday!", "delivered");
  const theirs = await place(inbox.message("Is it still free?").locator("article"));
  const ours = await place(inbox.message("Yes, come on Saturday!").locator("article"));
  const thread = await place(inbox.thread);
  assert.ok(
    thread.right - theirs.right < 40 && ours.left - thread.left < 40,
    "the customer on the right, we on the left",
  );
  const run = await inbox
    .message("Is it still free?")
    .locator("article [dir=auto]")
    .first()
    .evaluate((words) => getComputedStyle(words).direction);
  assert.equal(run, "ltr", "English words run from left to right");
  assert.equal(await inbox.tick("Yes, come on Saturday!"), "تم تسليمها");

  // Remembered, also in a second page.
  const phone = await page.context().newPage();
  await phone.setViewportSize({ width: 360, height: 780 });
  await phone.goto(`${stage.server}/chat/${talk}`);
  await phone.locator("main").waitFor();
  assert.equal(await phone.evaluate(() => document.dir), "rtl");

  // And back, from the person's own menu.
  await page.getByTestId("user-menu").click();
  await page.getByRole("menuitem", { name: "اللغة" }).focus();
  // The menu inside the menu lies to the left here, and so does the arrow that opens it.
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("menuitemcheckbox", { name: "Français" }).press("Enter");
  await page.getByRole("heading", { name: "Boîte de réception" }).waitFor();
  assert.deepEqual(await page.evaluate(() => [document.dir, document.documentElement.lang]), ["ltr", "fr"]);
});
