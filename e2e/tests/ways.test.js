import { Customer, control, newPhone } from "../support/phone.js";
import { until } from "../support/processes.js";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

story(
  "a number at Meta and one on an Evolution are added by their forms, hear a customer each, and answer",
  async (stage) => {
    const shop = await stage.workspace({ linked: false });
    const desk = newPhone();
    const meta = await control(stage.simulator, "POST", "/cloud/numbers", { phone: desk, name: "Protea Homes" });
    const page = await shop.owner.open("/instances?add=1");
    const dialog = page.getByTestId("add-dialog");
    const field = (name) => dialog.getByLabel(name, { exact: true });
    await dialog.getByTestId("way-cloud").click();
    await field("Name").fill("Front desk");
    await field("Phone number ID").fill(meta.phoneNumberId);
    await field("WhatsApp Business Account ID").fill(meta.wabaId);
    await field("App ID (optional)").fill(meta.appId);
    await field("Access token").fill("EAAnobodyhasthisone");
    await field("App secret").fill(meta.appSecret);
    await dialog.getByTestId("add-go").click();
    await dialog.getByText("The access token has expired or is wrong").waitFor();
    await field("Access token").fill(meta.accessToken);
    await dialog.getByTestId("add-go").click();

    const shown = page.getByTestId("connection-dialog");
    await shown.locator('[data-step="subscription"][data-ok="true"]').waitFor();
    await shown.getByTestId("first-call").filter({ hasText: "Waiting" }).waitFor();
    const asha = new Customer(stage.simulator, desk, "Asha Naidoo");
    await asha.says("Are you open on Saturday?");
    await shown.getByTestId("first-call").filter({ hasText: "Meta has called" }).waitFor();
    await shown.getByRole("button", { name: "Done" }).click();

    await page.getByTestId("add-number").click();
    await dialog.getByTestId("way-own").click();
    await dialog.getByRole("radio", { name: "Evolution", exact: true }).click();
    await field("Name").fill("Rentals");
    await field("Address of the gateway").fill(`${stage.simulator}/evolution`);
    await field("API key").fill("simulator");
    await dialog.getByTestId("add-go").click();
    await page.getByTestId("qr-image").waitFor();
    const { items } = await shop.owner.api("GET", "/instances");
    const session = await shop.session(items.find((one) => one.provider === "evolution"));
    const line = newPhone();
    await control(stage.simulator, "POST", `/sessions/${session.name}/scan`, { phone: line, pushName: "Rentals" });
    await page.locator('[data-testid="link-status"][data-step="connected"]').waitFor();
    await page.getByTestId("link-dialog").getByRole("button", { name: "Done" }).click();
    const sipho = new Customer(stage.simulator, line, "Sipho Zulu");
    await sipho.says("Is the flat still to let?");

    await page.goto(`${stage.server}/chat`);
    const inbox = new Inbox(page);
    for (const [customer, way, answer] of [
      [asha, "Front desk, Cloud API", "Until one o'clock."],
      [sipho, "Rentals, Evolution", "It is."],
    ]) {
      await inbox.row(customer.name).filter({ hasText: way }).waitFor();
      await inbox.openRow(customer.name);
      await page.getByTestId("thread-number").filter({ hasText: way }).waitFor();
      await inbox.say(answer);
      await customer.gets((message) => message.body === answer);
      await until(`${answer} is delivered`, async () => {
        const states = await inbox.message(answer).evaluateAll((all) => all.map((one) => one.dataset.state));
        return states.length === 1 && ["delivered", "read"].includes(states[0]);
      });
    }
  },
);

story("the composer says so when free text is not taken any more", async (stage) => {
  const shop = await stage.workspace({ linked: false });
  const phone = newPhone();
  const meta = await control(stage.simulator, "POST", "/cloud/numbers", { phone, name: "Protea Homes" });
  const settings = Object.fromEntries(
    ["phoneNumberId", "wabaId", "accessToken", "appSecret"].map((name) => [name, meta[name]]),
  );
  const made = await shop.owner.api("POST", "/instances", { provider: "cloud", name: "Front desk", settings });
  const talk = await shop.owner.api("POST", "/conversations", { phone: `+${newPhone()}`, instanceId: made.id });
  const page = await shop.owner.open(`/chat/${talk.id}`);
  await page.getByTestId("composer-closed").filter({ hasText: "only after the customer has written" }).waitFor();
});
