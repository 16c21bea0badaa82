// Fails when a cold /chat loads more compressed script than an agent's phone should have to. Counted is what the page
// asks for before it shows the inbox and lets somebody read and write: the entry, the inbox, and all they import; gzip, as
// the weakest browser gets it. Not counted is what comes two seconds later, or with the first use: menus, toasts, the palette.
import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 250_000;
const PAGE = "src/app/inbox/InboxPage.tsx";

const at = (path) => new URL(`../${path}`, import.meta.url);
const manifestFile = at("node_modules/.cache/indaba/manifest.json");
if (!existsSync(manifestFile)) {
  console.error("budget: build first (npm run build)");
  process.exit(1);
}
const manifest = JSON.parse(readFileSync(manifestFile, "utf8"));

const wanted = new Set();
function add(key) {
  const chunk = manifest[key];
  if (!chunk || wanted.has(key)) return;
  wanted.add(key);
  for (const one of chunk.imports ?? []) add(one);
}
add("index.html");
add(PAGE);
if (!wanted.has(PAGE)) throw new Error(`${PAGE} is not in the manifest: has it moved?`);

const files = ["theme.js", ...[...wanted].map((key) => manifest[key].file).filter((name) => name.endsWith(".js"))];
const sizes = files
  .map((name) => ({ name, size: gzipSync(readFileSync(at(`dist/${name}`)), { level: 9 }).length }))
  .sort((a, b) => b.size - a.size);
const total = sizes.reduce((sum, one) => sum + one.size, 0);
for (const { name, size } of sizes.slice(0, 8)) console.log(`${String(size).padStart(8)}  ${name}`);
console.log(`${String(total).padStart(8)}  script of a cold /chat, gzip; the limit is ${LIMIT}`);
if (total > LIMIT) {
  console.error(`budget: ${total - LIMIT} bytes over`);
  process.exit(1);
}
