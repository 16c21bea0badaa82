// src/api/schema.ts from openapi.json, which the server prints (make schema). With --check: is it still that?
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const at = (path) => new URL(`../${path}`, import.meta.url).pathname;
const target = at("src/api/schema.ts");
const tool = at("tools/node_modules/.bin/openapi-typescript");
// The generator needs an older TypeScript than the rest of this package: hence a package of its own.
if (!existsSync(tool))
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: at("tools"), stdio: "inherit" });

const scratch = mkdtempSync(join(tmpdir(), "indaba-schema-"));
try {
  const out = join(scratch, "schema.ts");
  execFileSync(tool, [at("openapi.json"), "--output", out, "--alphabetize", "--empty-objects-unknown"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  // The document's own hash stands above: a test sees in a moment whether the two belong together.
  const hash = createHash("sha256")
    .update(readFileSync(at("openapi.json")))
    .digest("hex");
  const made = `// From openapi.json ${hash}\n${readFileSync(out, "utf8")}`;
  if (!process.argv.includes("--check")) writeFileSync(target, made);
  else if (made !== readFileSync(target, "utf8")) {
    console.error("src/api/schema.ts is stale: run `make schema`, or `npm run schema` when openapi.json is right");
    process.exit(1);
  }
} finally {
  rmSync(scratch, { recursive: true });
}
