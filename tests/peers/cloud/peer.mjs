// whatsapp-api-js as a process of its own. It reads orders from standard input, a line of JSON each, and answers each with a line: {"done": …} or
// {"threw": …}. Its first line names the address at which it receives hooks; what they say comes as lines of their own: {"hook": …}.
//
// Arguments: the directory that has the packages, the simulator's URL, and settings as JSON {"token", "appSecret", "webhookVerifyToken", "v"}.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [packages, simulator, settings] = process.argv.slice(2);
const found = createRequire(`${packages}/`);
const load = (name) => import(pathToFileURL(found.resolve(name)));
const messages = await load("whatsapp-api-js/messages");
const { WhatsAppAPI } = await load("whatsapp-api-js/middleware/node-http");

// The library has no setting for Meta's host, but takes a `fetch`.
const towards = (url, options) => fetch(String(url).replace("https://graph.facebook.com/", `${simulator}/graph/`), options);
const api = new WhatsAppAPI({ ...JSON.parse(settings), ponyfill: { fetch: towards } });

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

// What the library's handlers are given, without what is no data.
const plain = ({ raw, Whatsapp, offload, reply, received, block, ...said }) => said;
api.on.message = (said) => say({ hook: { on: "message", ...plain(said) } });
api.on.status = (said) => say({ hook: { on: "status", ...plain(said) } });

const server = createServer(async (request, response) => {
  if (request.method === "GET") {
    try {
      response.end(api.handle_get(request));
    } catch (status) {
      response.writeHead(status).end();
    }
  } else {
    response.writeHead(await api.handle_post(request)).end();
  }
});

// {"make": "Text", "of": ["Hello"]} is `new Text("Hello")`; so deep as it goes.
function made(value) {
  if (Array.isArray(value)) return value.map(made);
  if (value?.make) return new messages[value.make](...(value.of ?? []).map(made));
  return value ?? undefined;
}

const orders = {
  // {"call": "sendMessage", "with": […]}
  call: ({ call, with: given = [] }) => api[call](...given.map(made)),
  upload: async ({ upload: number, mime, name, bytes }) => {
    const form = new FormData();
    form.set("file", new Blob([Buffer.from(bytes, "base64")], { type: mime }), name);
    return api.uploadMedia(number, form);
  },
  fetch: async ({ fetch: url }) => {
    const answer = await api.fetchMedia(url);
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()).toString("base64") };
  },
};

server.listen(0, "127.0.0.1", () => say({ url: `http://127.0.0.1:${server.address().port}` }));
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  const kind = Object.keys(orders).find((kind) => kind in order);
  try {
    say({ done: (await orders[kind](order)) ?? null });
  } catch (error) {
    say({ threw: `${error.name}: ${error.message}` });
  }
}
server.close();
server.closeAllConnections();
