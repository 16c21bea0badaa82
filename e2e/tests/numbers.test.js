import assert from "node:assert/strict";
import jsQR from "jsqr";
import { control, newPhone, spoken } from "../support/phone.js";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

/** What a camera reads from the picture on the screen. */
async function read(picture) {
  const { width, height, pixels } = await picture.evaluate(async (image) => {
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const paper = canvas.getContext("2d");
    paper.drawImage(image, 0, 0);
    const { data } = paper.getImageData(0, 0, canvas.width, canvas.height);
    return { width: canvas.width, height: canvas.height, pixels: [...data] };
  });
  const code = jsQR(Uint8ClampedArray.from(pixels), width, height);
  assert.ok(code, "the picture is a code that a camera can read");
  return code.data;
}

const step = (page, name) => page.locator(`[data-testid="link-status"][data-step="${name}"]`);

story(
  "a number is linked by scanning the code on the screen, and the first message lands in the inbox",
  async (stage) => {
    const shop = await stage.workspace({ linked: false });
    const page = await shop.owner.open("/chat");
    await page
      .getByTestId("empty")
      .getByRole("link", { name: "Link a number" })
      .or(page.getByTestId("empty").getByRole("button", { name: "Link a number" }))
      .click();
    const dialog = page.getByTestId("add-dialog");
    await dialog
      .getByRole("radio", { name: /Hosted gateway/ })
      .and(dialog.locator('[aria-checked="true"]'))
      .waitFor();
    await dialog.getByLabel("Name", { exact: true }).fill("Sales line");
    await dialog.getByRole("button", { name: "Go on to the code" }).click();

    const picture = page.getByTestId("qr-image");
    await picture.waitFor();
    const box = await picture.boundingBox();
    assert.ok(box.width >= 280 && box.height >= 280, `the code is ${Math.round(box.width)} px wide`);
    assert.match(await page.getByTestId("qr-attempt").textContent(), /1 of 6/);
    const phone = newPhone();
    await control(stage.simulator, "POST", "/scan", { qr: await read(picture), phone, pushName: "Protea Homes" });

    await step(page, "connected")
      .filter({ hasText: `Connected as ${spoken(phone)}` })
      .waitFor();
    await page.getByTestId("link-dialog").getByRole("button", { name: "Done" }).click();
    const card = page.getByTestId("number-card").filter({ hasText: "Sales line" });
    await card.locator('[data-testid="number-state"][data-state="connected"]').waitFor();
    await card.getByText(spoken(phone)).waitFor();

    await page.getByRole("link", { name: "Inbox", exact: true }).click();
    await page.getByTestId("empty").filter({ hasText: "Waiting for the first message" }).waitFor();
    shop.phone = phone;
    await shop.customer("Asha Naidoo").says("Is the cottage still to let?");
    await new Inbox(page).row("Asha Naidoo").filter({ hasText: "Is the cottage still to let?" }).waitFor();
  },
);

story("a new code comes by itself when one runs out, and by asking after the last", async (stage) => {
  const shop = await stage.workspace({ linked: false });
  const made = await shop.owner.api("POST", "/instances", { name: "Rentals" });
  const session = await shop.session(made);
  const page = await shop.owner.open(`/instances?link=${made.id}`);
  await page.getByTestId("qr-attempt").filter({ hasText: "1 of 6" }).waitFor();
  const first = await page.getByTestId("qr-image").getAttribute("src");
  await control(stage.simulator, "POST", `/sessions/${session.name}/expire-qr`);
  await page.getByTestId("qr-attempt").filter({ hasText: "2 of 6" }).waitFor();
  assert.notEqual(await page.getByTestId("qr-image").getAttribute("src"), first);
  for (let code = 2; code <= 6; code += 1)
    await control(stage.simulator, "POST", `/sessions/${session.name}/expire-qr`);
  await step(page, "expired").waitFor();
  await page.getByTestId("new-code").click();
  await page.getByTestId("qr-image").waitFor();
});

story("a number is linked by a pairing code that is typed on the phone", async (stage) => {
  const shop = await stage.workspace({ linked: false });
  const page = await shop.owner.open("/instances?add=1");
  await page.getByTestId("add-dialog").getByLabel("Name", { exact: true }).fill("Field team");
  await page.getByRole("button", { name: "Go on to the code" }).click();
  await step(page, "scan").waitFor();
  await page.getByRole("radio", { name: "Use a pairing code" }).click();
  const phone = newPhone();
  await page.getByTestId("link-dialog").getByRole("textbox").fill(`+${phone}`);
  await page.keyboard.press("Enter");
  const shown = page.getByTestId("pairing-code");
  await shown.waitFor();
  const code = (await shown.textContent()).trim();
  assert.match(code, /^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
  await control(stage.simulator, "POST", "/pair", { code, phone, pushName: "Field team" });
  await step(page, "connected").waitFor();
});

story("the card and the inbox say so when the phone unlinks the number", async (stage) => {
  const shop = await stage.workspace();
  const customer = shop.customer("Sipho Zulu");
  await customer.says("Hello");
  const id = await shop.conversation(customer);
  const numbers = await shop.owner.open("/instances");
  const talk = await shop.owner.open(`/chat/${id}`);
  await numbers.locator('[data-testid="number-state"][data-state="connected"]').waitFor();
  await new Inbox(talk).message("Hello").waitFor();
  await control(stage.simulator, "POST", `/sessions/${shop.sessionName}/unlink`);
  await numbers.getByTestId("link").waitFor();
  await talk.getByTestId("number-banner").waitFor();
});
