// Every page that there is, with something on it, for what must hold on all of them.
import { photo } from "./files.js";

/** Each page behind the door, and what must be on it before it is looked at. `talk`: a conversation with a picture; `number`: one to be linked. */
const routes = ({ talk, number }) => [
  ["/chat", '[data-testid="conversation-row"]'],
  [`/chat/${talk}`, '[data-testid="message"] img'],
  ["/chat?view=mine", '[data-testid="empty"], [data-testid="conversation-row"]'],
  ["/chat?q=stoep", '[data-testid="search-hit"]'],
  ["/chat/cnv_01h455vb4pex5vsknk084sn02q", '[data-testid="empty"]'],
  ["/contacts", '[data-testid="contact-row"]'],
  ["/instances", '[data-testid="number-card"]'],
  ["/instances?add=1", '[data-testid="add-dialog"]'],
  [`/instances?link=${number}`, '[data-testid="qr-image"]'],
  ["/settings/profile", "main form"],
  ["/settings/sign-ins", "main li, main table"],
  ["/settings/preferences", "main [role=switch]"],
  ["/settings/notifications", "main [role=switch]"],
  ["/settings/quick-replies", "main [data-testid=empty], main li"],
  ["/settings/workspace", "main form"],
  ["/settings/team", "main li, main table"],
  ["/settings/labels", '[data-testid="labels"]'],
  ["/settings/gateways", "main form, main li"],
  ["/settings/api-keys", "main form, main button"],
  ["/settings/audit", "main table, main li"],
  ["/settings/jobs", '[data-testid="job-summary"], [data-testid="empty"]'],
  ["/nowhere", "main a"],
];

/** Yields `{ page, path }` for every page of a new workspace, once it shows what it is for; in this language, if one is named. */
export async function* everyPage(stage, options, lang) {
  const shop = await stage.workspace(options);
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Is the *stoep* covered? https://example.com");
  await asha.sends("image", "image/png", photo());
  await shop.customer("Pieter Botha").says("Hello");
  const talk = await shop.conversation(asha);
  const { id: label } = await shop.owner.api("POST", "/labels", { name: "Hot lead", colour: "amber" });
  await shop.owner.api("PATCH", `/conversations/${talk}`, { labels: [label] });
  await shop.owner.api("POST", `/conversations/${talk}/notes`, { body: "Wants a garden" });
  const { id: number } = await shop.owner.api("POST", "/instances", { name: "Rentals" });
  // One that says why it does not work.
  const { id: stopped } = await shop.owner.api("POST", "/instances", { name: "Sales Rentals" });
  await shop.owner.api("POST", `/instances/${stopped}/stop`);

  const query = lang ? `?lang=${lang}` : "";
  const door = await (await stage.context(options)).newPage();
  for (const path of ["/sign-in", "/sign-up"]) {
    await door.goto(stage.server + path + query);
    await door.locator("form").waitFor();
    yield { page: door, path };
  }
  const page = await shop.owner.open(`/chat${query}`);
  for (const [path, ready] of routes({ talk, number })) {
    await page.goto(stage.server + path);
    await page.locator(ready).first().waitFor();
    yield { page, path };
  }
}
