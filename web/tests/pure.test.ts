/** Properties of the modules without a page. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import type { Field } from "../client/sluice-client.ts";
import { toCodePoints, toUtf16 } from "../client/sluice-client.ts";
import { cellText, conditionOf, defaultColumns, exactText, valuesAt } from "../src/cells.ts";
import { PAGES, readFragment, readMailed, writeFragment } from "../src/fragment.ts";
import { placeOfError, placesOf } from "../src/inventory/json.ts";
import { choices, placeAt, tokens, withCondition, writeField, writeValue } from "../src/language.ts";
import { notified } from "../src/messages.ts";

const FIELDS: Field[] = [
  {
    name: "Hostname",
    type: "keyword",
    operators: ["=", "!=", "IN", "NOT IN", "EXISTS", "NOT EXISTS"],
    sortable: true,
  },
  { name: "OS.Type", type: "keyword", operators: ["="], sortable: true },
  { name: "LastSeen", type: "date", operators: ["=", ">="], sortable: true },
  { name: "Software", type: "nested", operators: ["EXISTS"], sortable: false },
  { name: "Software.Name", type: "keyword", operators: ["="], sortable: false, nested: "Software" },
];
const anyText = fc.string({ unit: "binary", maxLength: 60 });

test("the tokens of any text are that text", () => {
  fc.assert(
    fc.property(
      anyText,
      (text) =>
        tokens(text)
          .map((each) => each.text)
          .join("") === text,
    ),
  );
  const grammar = fc.array(
    fc.constantFrom(
      "Hostname",
      " ",
      "=",
      "!=",
      "(",
      ")",
      "IN",
      "AND",
      "or",
      '"',
      "'",
      "\\",
      "/",
      "~",
      "{",
      ":{",
      "}",
      ",",
    ),
  );
  fc.assert(
    fc.property(
      grammar,
      (parts) =>
        tokens(parts.join(""))
          .map((each) => each.text)
          .join("") === parts.join(""),
    ),
  );
});

test("any value is one token of a condition, and the condition ends there", () => {
  fc.assert(
    fc.property(
      anyText,
      anyText.filter((name) => name !== ""),
      (value, name) => {
        const condition = `${writeField(name)} = ${writeValue(value)}`;
        const kinds = tokens(condition)
          .map((each) => each.kind)
          .filter((kind) => kind !== "blank");
        assert.equal(kinds.length, 3, condition);
        assert.deepEqual(kinds.slice(0, 2), ["name", "operator"]);
        assert.equal(placeAt(`${condition} `, condition.length + 1).expected, "connective");
      },
    ),
  );
});

test("a condition binds to the whole query", () => {
  assert.equal(withCondition(" ", "A = 1"), "A = 1");
  assert.equal(withCondition("B = 2", "A = 1"), "B = 2 AND A = 1");
  assert.equal(withCondition("B = 2 or C = 3", "A = 1"), "(B = 2 or C = 3) AND A = 1");
  assert.equal(withCondition('B = "x OR y"', "A = 1"), 'B = "x OR y" AND A = 1');
});

test("the view survives the address", () => {
  fc.assert(
    fc.property(
      fc
        .record({
          view: fc.constantFrom(...PAGES),
          query: fc.string({ unit: "grapheme" }),
          index: fc.string({ unit: "grapheme" }),
          sort: fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 3 }),
          columns: fc.uniqueArray(fc.string({ unit: "grapheme" }), { maxLength: 9 }),
          type: fc.string({ unit: "grapheme" }),
          id: fc.string({ unit: "grapheme" }),
        })
        .map((view) => (view.view === "inventory" ? view : { ...view, type: "", id: "" })),
      (view) => {
        const { asked, ...read } = readFragment(
          writeFragment({ ...view, widths: view.columns.map(() => 120) }),
        );
        assert.equal(asked, true);
        assert.deepEqual(read, { ...view, widths: view.columns.map(() => 120) });
      },
    ),
  );
});

test("a fragment of anybody's making is read without a fault", () => {
  fc.assert(
    fc.property(anyText, (text) => readFragment(text).widths.every((width) => width === 0 || width >= 40)),
  );
});

test("code points and UTF-16 units are each other's inverse at whole characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const count = [...text].length;
      for (let at = 0; at <= count; at++) assert.equal(toCodePoints(text, toUtf16(text, at)), at);
    }),
  );
  assert.equal(toUtf16("😀 = 1", 1), 2);
});

const expectedAt = (text: string) => placeAt(text, text.length).expected;

test("what can stand at a place", () => {
  assert.equal(expectedAt(""), "field");
  assert.equal(expectedAt("Host"), "field");
  assert.equal(expectedAt("Hostname "), "operator");
  assert.equal(expectedAt("Hostname NOT "), "negated");
  assert.equal(expectedAt("Hostname = we"), "value");
  assert.equal(expectedAt("Hostname IN "), "bracket");
  assert.equal(expectedAt("Hostname IN (a, "), "value");
  assert.equal(expectedAt("Hostname IN (a) "), "connective");
  assert.equal(expectedAt("Cores BETWEEN 1 "), "between");
  assert.equal(expectedAt("Cores BETWEEN 1 AND 2 "), "connective");
  assert.equal(expectedAt("(Hostname = a OR "), "field");
  assert.equal(expectedAt('Hostname = "a '), "none");
  assert.equal(expectedAt("Hostname ~ /a b/ "), "connective");
  assert.deepEqual(placeAt("Software:{ Na", 13), {
    expected: "field",
    from: 11,
    word: "Na",
    field: "Software",
    scope: "Software",
  });
});

test("names, operators and fixed values need no server", () => {
  const texts = (text: string) => choices(placeAt(text, text.length), FIELDS)?.map((each) => each.text);
  assert.deepEqual(texts("Software:{ "), ["Name", "NOT"]);
  assert.deepEqual(texts("hostname NOT "), ["IN", "EXISTS"]);
  assert.equal(texts("Hostname = "), undefined);
  assert.ok(texts("LastSeen >= ")?.includes("now-7d"));
});

test("values are found in objects, lists, and members with dots in their names", () => {
  const device = {
    OS: { Type: "Linux" },
    "OS.Type": "x",
    Ip: ["a", ["b"], null],
    Software: [{ Name: "n" }, { Name: "m" }],
  };
  assert.deepEqual(valuesAt(device, "OS.Type"), ["x", "Linux"]);
  assert.deepEqual(valuesAt(device, "Ip"), ["a", "b"]);
  assert.deepEqual(valuesAt(device, "Software.Name"), ["n", "m"]);
  assert.deepEqual(valuesAt(device, "constructor"), []);
  assert.deepEqual(defaultColumns([device], FIELDS), ["OS.Type"]);
});

test("cells are exact", () => {
  assert.equal(cellText([9223372036854775807n], "long"), "9223372036854775807");
  assert.equal(exactText(["2026-11-27T10:00:00+03:00"], "date"), "2026-11-27T07:00:00.000Z");
  assert.equal(cellText(["no date"], "date"), "no date");
});

test("a cell's condition", () => {
  const [hostname, osType] = FIELDS as [Field, Field];
  assert.equal(conditionOf(hostname, 'a "b"', true), 'Hostname = "a \\"b\\""');
  assert.equal(conditionOf(hostname, "or", false), 'Hostname != "or"');
  assert.equal(conditionOf(hostname, undefined, true), "Hostname NOT EXISTS");
  assert.equal(conditionOf(osType, undefined, true), null);
  assert.equal(conditionOf(hostname, { a: 1 }, true), null);
});

/** The value at a JSON pointer. */
function resolve(value: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((found, step) => (found as Record<string, unknown>)[step], value);
}

test("every value of a JSON text is found where it stands", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(4), (json, indent) => {
      const value = JSON.parse(json);
      const text = JSON.stringify(value, null, indent);
      const { values, wrong } = placesOf(text);
      assert.equal(wrong, null);
      for (const [pointer, { from, to }] of values) {
        assert.deepEqual(JSON.parse(text.slice(from, to)), resolve(value, pointer));
      }
    }),
  );
});

test("a text is read just if JSON.parse reads it", () => {
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const pieces = fc.array(
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"\\u00e9"',
      '"',
      "1",
      "-",
      "0",
      ".5",
      "e3",
      "true",
      "nul",
      " ",
      "\n",
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        pieces.map((each) => each.join("")),
        anyText,
        fc.json(),
      ),
      (text) => {
        assert.equal(placesOf(text).wrong === null, isJson(text), text);
      },
    ),
    { numRuns: 3000 },
  );
});

test("what a JSON text lacks is told where it lacks it", () => {
  const lacks = (text: string) => {
    const { wrong } = placesOf(text);
    return wrong && [text.slice(wrong.from, wrong.to), wrong.expected];
  };
  assert.deepEqual(lacks('{"a": 1 "b": 2}'), ['"', ", or }"]);
  assert.deepEqual(lacks('{"a" 1}'), ["1", ":"]);
  assert.deepEqual(lacks("{a: 1}"), ["a", "a name in quotation marks"]);
  assert.deepEqual(lacks("[1, ]"), ["]", "a value"]);
  assert.deepEqual(lacks("{} x"), ["x", "the end"]);
  assert.deepEqual(lacks("["), ["[", "a value"]);
  assert.deepEqual(lacks("[".repeat(200)), ["[", "fewer levels"]);
});

test("an error is shown at its member, or at the nearest that is there", () => {
  const text = '{\n  "a": {"b/c": [1, "x"]},\n  "d": {\n    "e": 1\n  }\n}';
  const shown = (pointer: string) => {
    const { from, to } = placeOfError(text, placesOf(text).values, pointer);
    return text.slice(from, to);
  };
  assert.equal(shown("/a/b~1c/1"), '"x"');
  assert.equal(shown("/a/missing/0"), '{"b/c": [1, "x"]}');
  assert.equal(shown("/d"), "{");
  assert.equal(shown(""), "{");
});

test("what is told of saved searches is in words, for each op that the server writes", () => {
  // From web/build/tests; the page of the notifications is held to the server by its own tests.
  const page = readFileSync(new URL("../../../docs/notifications.md", import.meta.url), "utf-8");
  const row = page.split("\n").find((line) => line.startsWith("| `saved.changed`")) ?? "";
  const [, ...ops] = /`op` \(`(\w+)` with you, `(\w+)` or `(\w+)`\)/.exec(row) ?? [];
  assert.deepEqual(ops, ["shared", "changed", "deleted"]);
  const words = ops.map((op) =>
    notified({ kind: "saved.changed", actor: "ayse", data: { type: "search", title: "Linux", op } }),
  );
  assert.deepEqual(words, [
    "The search “Linux” was shared with you by ayse",
    "The search “Linux” was changed by ayse",
    "The search “Linux” was deleted by ayse",
  ]);
});

test("a link of a mail is read, and nothing else is taken for one", () => {
  assert.deepEqual(readMailed("#reset=ab_c.d-9"), { kind: "reset", token: "ab_c.d-9" });
  assert.deepEqual(readMailed("#sign-up=x"), { kind: "sign-up", token: "x" });
  for (const other of ["", "#", "#q=reset", "#reset=", "#reset=a&q=b", "#view=saved&reset=a", "#up=a"]) {
    assert.equal(readMailed(other), null, other);
  }
});
