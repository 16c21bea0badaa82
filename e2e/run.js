// Runs the browser tests: starts a simulator, a server and one Chromium for all of them, then one test file after the other.
//   node run.js [file…]     E2E_SCRATCH=<directory> keeps logs and pictures there
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { launch } from "./support/browser.js";
import { scratch } from "./support/processes.js";
import { startServer, startSimulator } from "./support/servers.js";

const here = import.meta.dirname;
const chosen = process.argv.slice(2);
const all = (await readdir(path.join(here, "tests"))).filter((name) => name.endsWith(".test.js")).sort();
const files = chosen.length ? all.filter((name) => chosen.some((part) => name.includes(part))) : all;
if (files.length === 0) {
  console.error(`no test file is called ${chosen.join(" or ")}; there are ${all.join(", ")}`);
  process.exit(2);
}

await rm(scratch, { recursive: true, force: true });
await mkdir(scratch, { recursive: true });

const ends = [];
let tests;
async function end() {
  tests?.kill("SIGTERM");
  for (const stop of ends.splice(0).reverse()) await stop().catch((error) => console.error(error.message));
}
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void end().then(() => process.exit(130)));

const began = Date.now();
let code = 1;
try {
  const simulator = await startSimulator();
  ends.push(() => simulator.program.stop());
  const server = await startServer(simulator.url);
  ends.push(() => server.program.stop());
  const browser = await launch();
  ends.push(() => browser.close());
  tests = spawn(
    process.execPath,
    ["--test", "--test-concurrency=1", "--test-reporter=spec", ...files.map((name) => path.join(here, "tests", name))],
    {
      stdio: "inherit",
      env: {
        ...process.env,
        E2E_SCRATCH: scratch,
        E2E_SERVER: server.url,
        E2E_SIMULATOR: simulator.url,
        E2E_BROWSER: browser.wsEndpoint(),
      },
    },
  );
  [code] = await once(tests, "exit");
} catch (error) {
  console.error(error.message);
} finally {
  await end();
}
console.log(`browser tests: ${code === 0 ? "passed" : "FAILED"} in ${Math.round((Date.now() - began) / 1000)} s`);
if (code !== 0) console.log(`logs and pictures: ${scratch}`);
process.exit(code === 0 ? 0 : 1);
