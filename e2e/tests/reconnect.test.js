import assert from "node:assert/strict";
import { control } from "../support/phone.js";
import { until } from "../support/processes.js";
import { Inbox } from "../support/screen.js";
import { story } from "../support/story.js";

const banner = (page, state) => page.locator(`[data-testid="connection-banner"][data-state="${state}"]`);

/** Writes one after the other, each when the server has the one before: hooks overtake each other, and WhatsApp's times are whole seconds. */
async function saysInTurn(shop, customer, talk, all) {
  for (const words of all) {
    await customer.says(words);
    await until("the server to have taken it in", async () => {
      const { items } = await shop.owner.api("GET", `/conversations/${talk}/messages?limit=5`);
      return items.some((one) => one.body === words);
    });
  }
}

story("nothing is missed while the network is away, and what was written meanwhile goes out once", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Before");
  const talk = await shop.conversation(asha);
  const inbox = new Inbox(await shop.owner.open(`/chat/${talk}`));
  await inbox.message("Before").waitFor();

  await shop.owner.context.setOffline(true);
  await banner(inbox.page, "offline").waitFor();
  await saysInTurn(shop, asha, talk, ["Meanwhile one", "Meanwhile two", "Meanwhile three"]);
  await shop.customer("Pieter Botha").says("Anybody there?");
  await inbox.say("Written in a tunnel");
  await inbox.say("And another");
  await banner(inbox.page, "offline").getByText("2 messages wait to be sent.").waitFor();
  await shop.owner.context.setOffline(false);
  await inbox.is("And another", "delivered");
  await inbox.message("Meanwhile three").waitFor();
  await inbox.row("Pieter Botha").waitFor();
  const said = ["Before", "Meanwhile one", "Meanwhile two", "Meanwhile three", "Written in a tunnel", "And another"];
  assert.deepEqual(await inbox.order(said), said, "once each, in order");
  const { mostOften } = await control(stage.simulator, "GET", `/effects?session=${shop.sessionName}`);
  assert.equal(mostOften, 1, "the customer got nothing twice");
});

story("a socket that is cut comes back with what it missed", async (stage) => {
  const shop = await stage.workspace();
  const asha = shop.customer("Asha Naidoo");
  await asha.says("Before");
  const id = await shop.conversation(asha);
  let sockets = [];
  let blocked = false;
  const asked = [];
  await shop.owner.context.routeWebSocket(/\/api\/live/, (socket) => {
    asked.push(new URL(socket.url()).searchParams.get("after"));
    if (blocked) return socket.close({ code: 1011 });
    socket.connectToServer();
    sockets.push(socket);
  });
  const inbox = new Inbox(await shop.owner.open(`/chat/${id}`));
  await inbox.message("Before").waitFor();
  await asha.says("Just before the cut");
  await inbox.message("Just before the cut").waitFor();

  blocked = true;
  for (const socket of sockets) await socket.close({ code: 1011 });
  sockets = [];
  const missed = Array.from({ length: 12 }, (_, n) => `Missed ${n + 1}.`);
  await saysInTurn(shop, asha, id, missed);
  await inbox.page.getByTestId("connection-banner").waitFor();
  assert.equal(await inbox.message("Missed 1.").count(), 0, "the page knows nothing of it yet");
  blocked = false;
  await inbox.page.getByTestId("connection-banner").getByRole("button", { name: "Now" }).click();
  await inbox.message("Missed 12.").waitFor();
  const all = ["Before", "Just before the cut", ...missed];
  assert.deepEqual(await inbox.order(all), all, "once each, in order");
  assert.equal(asked[0], null);
  assert.ok(Number(asked.at(-1)) > 0, "it asked for what came after the last it knew");
});
