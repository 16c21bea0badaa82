// After the build: compressed copies beside what is worth it (the server sends them as they are), and the manifest put
// away where the budget finds it.
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const dist = new URL("../dist/", import.meta.url).pathname;
const kept = new URL("../node_modules/.cache/indaba/", import.meta.url).pathname;
const worth = /\.(js|css|html|svg|json|txt)$/;
const SMALLEST = 1000;

await mkdir(kept, { recursive: true });
await rename(join(dist, ".vite/manifest.json"), join(kept, "manifest.json"));
await rm(join(dist, ".vite"), { recursive: true });

const names = (await readdir(dist, { recursive: true })).filter((name) => worth.test(name));
await Promise.all(
  names.map(async (name) => {
    const path = join(dist, name);
    const bytes = await readFile(path);
    if (bytes.length < SMALLEST) return;
    const [br, gz] = await Promise.all([
      promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
      promisify(gzip)(bytes, { level: 9 }),
    ]);
    await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
  }),
);

await import("./budget.mjs");
