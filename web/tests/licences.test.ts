/** The licences of what becomes part of the page. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** Those that ask for no more than their own text, which every package's files have. */
const LISTED = new Set(["MIT"]);

test("every package that is built into the page has a licence that is listed", () => {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<string, { dev?: boolean; license?: string }>;
  };
  const built = Object.entries(lock.packages).filter(([path, each]) => path !== "" && !each.dev);
  assert.ok(built.length > 10);
  assert.deepEqual(
    built.filter(([, each]) => !LISTED.has(each.license ?? "")),
    [],
  );
});
