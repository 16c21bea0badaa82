import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

// The types of the server's answers are made from its OpenAPI document (npm run schema). The generator needs a compiler of
// its own (npm run schema:check compares every byte); this tells within a test run whether it was forgotten.
it("the types are made from the OpenAPI document that is here", () => {
  const read = (path: string) => readFileSync(join(process.cwd(), path), "utf8");
  const said = /openapi\.json ([0-9a-f]{64})/.exec(read("src/api/schema.ts"))?.[1];
  expect(said).toBe(createHash("sha256").update(read("openapi.json")).digest("hex"));
});
