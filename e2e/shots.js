// Pictures of the UI with the demo's sample data, into e2e/shots: for eyes, not for tests.
//   cargo build -p indaba && node shots.js          English, light and dark, 1440 and 360 px wide
//   node shots.js ar pseudo                         other languages, light
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";
import { launch } from "./support/browser.js";
import { freePort, Program, root, scratch } from "./support/processes.js";

const folder = path.join(import.meta.dirname, "shots");
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await mkdir(scratch, { recursive: true });

const built = path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "debug/indaba");
const demo = await Program.start("shots-demo", built, ["demo"], {
  env: {
    INDABA_LISTEN: `127.0.0.1:${await freePort()}`,
    INDABA_DATA_DIR: await mkdtemp(path.join(scratch, "shots-")),
    INDABA_LIMITS_USER_PER_MINUTE: "100000",
    INDABA_LIMITS_SIGN_IN_PER_MINUTE: "1000",
  },
});
const server = await launch();
const asked = process.argv.slice(2);
const rounds = asked.length
  ? asked.flatMap((lang) => [1440, 360].map((width) => ({ lang, width, colorScheme: "light" })))
  : ["light", "dark"].flatMap((colorScheme) => [1440, 360].map((width) => ({ lang: "en", width, colorScheme })));
try {
  const [, url, email, password] = await demo.until(
    "the demo",
    () => demo.said.match(/Indaba\s+(http:\S+)\s+sign in with (\S+) and the password (\S+)/),
    { within: 60_000 },
  );
  const browser = await chromium.connect(server.wsEndpoint());
  for (const { lang, width, colorScheme } of rounds) {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height: width === 360 ? 780 : 900 },
      deviceScaleFactor: width === 360 ? 2 : 1,
      locale: lang === "en" || lang === "pseudo" ? "en-ZA" : lang,
      timezoneId: "Africa/Johannesburg",
      reducedMotion: "reduce",
    });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    const shoot = async (name) => {
      await page.evaluate(() => document.fonts.ready);
      await page.screenshot({
        path: path.join(folder, `${name}-${lang === "en" ? colorScheme : lang}-${width}.png`),
      });
    };
    await page.goto(lang === "pseudo" ? `${url}?lang=pseudo` : url);
    await page.getByTestId("sign-in").waitFor();
    await shoot("1-sign-in");
    await page.goto(`${url}/sign-up`);
    await page.getByTestId("sign-up").waitFor();
    await shoot("2-sign-up");
    await page.goto(`${url}/sign-in`);
    await page.locator("input[name=email]").fill(email);
    await page.locator("input[name=password]").fill(password);
    await page.keyboard.press("Enter");
    await page.getByTestId("conversation-row").nth(4).waitFor();
    await shoot("3-inbox");
    for (const [at, name] of [
      [0, "4-thread"],
      [3, "5-thread"],
      [6, "6-thread"],
    ]) {
      await page.goto(`${url}/chat`);
      await page.getByTestId("conversation-row").nth(at).click();
      await page.getByTestId("message").first().waitFor();
      await page.waitForLoadState("networkidle");
      await shoot(name);
    }
    for (const [where, name] of [
      ["/contacts", "7-contacts"],
      ["/instances", "8-numbers"],
      ["/instances?add=1", "9-add-number"],
      ["/settings/profile", "11-profile"],
      ["/settings/team", "12-team"],
      ["/settings/audit", "13-audit"],
      ["/settings/jobs", "14-jobs"],
      ["/settings/sign-ins", "15-sign-ins"],
      ["/settings/preferences", "16-preferences"],
      ["/settings/workspace", "17-workspace"],
      ["/settings/api-keys", "18-api-keys"],
      ["/settings", "19-settings"],
    ]) {
      await page.goto(url + where);
      await page.waitForLoadState("networkidle");
      await shoot(name);
    }
    await page.goto(`${url}/chat`);
    await page.getByTestId("user-menu").click();
    await page.getByRole("menu").waitFor();
    await shoot("20-user-menu");
    // A second number, to see its code.
    const made = await context.request.post(`${url}/api/instances`, {
      data: { name: `Rentals ${lang} ${colorScheme} ${width}` },
      headers: { origin: url },
    });
    const { id } = await made.json();
    await page.goto(`${url}/instances?link=${id}`);
    await page.getByTestId("qr-image").waitFor();
    await shoot("10-qr");
    await context.request.delete(`${url}/api/instances/${id}`, {
      headers: { origin: url },
    });
    await context.close();
  }
} finally {
  await server.close();
  await demo.stop();
}
console.log(folder);
