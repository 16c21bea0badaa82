import assert from "node:assert/strict";
import { control } from "../support/phone.js";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

/** Chooses what to put into a message. */
async function attach(inbox, kind) {
  await inbox.page.getByTestId("attach").click();
  await inbox.page.getByTestId(`attach-${kind}`).click();
}

story("a poll is asked, the customer votes on the phone, and the counts move", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("When can I come?");
  const inbox = new Inbox(await shop.owner.open(`/chat/${await shop.conversation(asha)}`));
  await inbox.message("When can I come?").waitFor();
  await attach(inbox, "poll");
  const dialog = inbox.page.getByTestId("poll-dialog");
  await dialog.getByLabel("Question").fill("Which day suits you?");
  await dialog.getByLabel("Answer 1").fill("Saturday");
  await dialog.getByLabel("Answer 2").fill("Monday");
  await dialog.getByTestId("poll-send").click();
  await dialog.waitFor({ state: "detached" });

  const poll = await asha.gets((message) => message.kind === "poll");
  assert.deepEqual(poll.poll.options, ["Saturday", "Monday"]);
  await control(stage.simulator, "POST", `/numbers/${shop.phone}/messages/${poll.id}/vote`, {
    from: asha.phone,
    options: ["Monday"],
  });
  const card = inbox.page.getByTestId("poll");
  await card.getByTestId("poll-who").click();
  await card.getByTestId("poll-answer").filter({ hasText: "Monday" }).getByText("Asha Naidoo").waitFor();
  await control(stage.simulator, "POST", `/numbers/${shop.phone}/messages/${poll.id}/vote`, {
    from: asha.phone,
    options: [],
  });
  await card.getByText("No votes yet").waitFor();
});

story("a place and a contact card go out from the menu of the composer", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Where is it?");
  const inbox = new Inbox(await shop.owner.open(`/chat/${await shop.conversation(asha)}`));
  await inbox.message("Where is it?").waitFor();
  await attach(inbox, "location");
  const place = inbox.page.getByTestId("location-dialog");
  const link = "https://www.google.com/maps/place/The+cottage/@-34.4187,19.2345,17z";
  await place.getByLabel("Link to a map, or coordinates").fill(link);
  await place.getByTestId("place-found").getByText("-34.41870, 19.23450").waitFor();
  await place.getByTestId("location-send").click();
  const arrived = await asha.gets((message) => message.kind === "location");
  assert.deepEqual(arrived.location, { latitude: -34.4187, longitude: 19.2345, name: "The cottage" });

  await attach(inbox, "contacts");
  const cards = inbox.page.getByTestId("card-dialog");
  await cards.getByTestId("card-other").click();
  await cards.getByLabel("Name", { exact: true }).fill("Zoë Adams");
  await cards.getByLabel("Phone number").fill("082 000 0044");
  await cards.getByTestId("card-send").click();
  const card = await asha.gets((message) => message.kind === "contacts");
  assert.match(card.contacts[0], /FN:Zoë Adams[\s\S]*waid=27820000044/);
  await inbox.is("Zoë Adams", "delivered");
});

story("a quick reply is kept, found with a slash, and filled in for the one it goes to", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Hello");
  const page = await shop.owner.open("/settings/quick-replies");
  await page.getByTestId("reply-new").first().click();
  const dialog = page.getByTestId("reply-dialog");
  await dialog.getByLabel("Shortcut").fill("welcome");
  await dialog.getByLabel("Title").fill("Welcome");
  await dialog.getByLabel("Text").fill("Good day {{contact.first_name|there}}, {{user.first_name}} here.");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByTestId("reply-row").filter({ hasText: "Welcome" }).waitFor();

  const inbox = new Inbox(await shop.owner.open(`/chat/${await shop.conversation(asha)}`));
  await inbox.message("Hello").waitFor();
  await inbox.composer.press("/");
  const picker = inbox.page.getByTestId("quick-replies");
  await picker.getByTestId("quick-preview").getByText("Good day Asha, Naledi here.").waitFor();
  await inbox.page.keyboard.press("Enter");
  await picker.waitFor({ state: "detached" });
  assert.equal(await inbox.composer.inputValue(), "Good day Asha, Naledi here.");
  await inbox.page.keyboard.press("Enter");
  await asha.gets((message) => message.body === "Good day Asha, Naledi here.");
  await page.reload();
  await page.getByText("used once").waitFor();
});
