/** The query language as the page needs it while somebody types: its tokens, and what can stand at a place. */
import type { Field } from "../client/sluice-client.ts";

export type Kind =
  | "blank"
  | "name"
  | "string"
  | "regex"
  | "operator"
  | "keyword"
  | "value"
  | "bracket"
  | "brace"
  | "comma"
  | "wrong";

export interface Token {
  kind: Kind;
  from: number;
  to: number;
  text: string;
}

/** What is expected at a place: `none` where the text before it is wrong already, or within quotes. */
export type Expected =
  | "field"
  | "operator"
  | "negated"
  | "value"
  | "connective"
  | "bracket"
  | "between"
  | "none";

export interface Place {
  expected: Expected;
  /** Where the word at the cursor begins. */
  from: number;
  word: string;
  /** The field of the comparison, as it is written; unquoted. */
  field: string;
  /** The nested field whose braces are open around the place; empty outside. */
  scope: string;
}

const BLANK = /[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+/y;
const QUOTED = /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/y;
const NAME =
  /(?:[\p{L}\p{N}_@-]+|"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*')(?:\.(?:[\p{L}\p{N}_@-]+|"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'))*/uy;
const OPERATOR = /!=|!~|>=|<=|[=~<>]/y;
const REGEX = /\/(?:[^/\\]|\\[\s\S])+\//y;
const VALUE = /(?:[^\s(){},"'=<>!\\]|\\[\s\S]|\\$|!(?![=~]))+/y;
const KEYWORD = /^(?:AND|OR|NOT|IN|BETWEEN|EXISTS)$/i;
const PLAIN_FIELD = /^(?!(?:AND|OR|NOT|IN|BETWEEN|EXISTS)$)[\p{L}\p{N}_@-]+(?:\.[\p{L}\p{N}_@-]+)*$/iu;
// Only what needs no thought: everything else is quoted.
const PLAIN_VALUE = /^(?!(?:AND|OR|NOT|IN|BETWEEN|EXISTS)$)[\p{L}\p{N}_@.:%+-]+$/iu;

interface Reader {
  tokens: Token[];
  place: Place;
}

/** The tokens of a query; together they are its text. */
export function tokens(query: string): Token[] {
  return readQuery(query).tokens;
}

/** What can stand at a cursor; what follows it does not count. */
export function placeAt(query: string, cursor: number): Place {
  const before = query.slice(0, cursor);
  const word = /(?<=^|[\s(){},"'=<>!~])[^\s(){},"'=<>!~]*$/.exec(before)?.[0] ?? "";
  const from = before.length - word.length;
  const { place } = readQuery(before.slice(0, from));
  return { ...place, from, word };
}

/** Whether a query has an OR outside quotes, so that what is added needs brackets around it. */
export function hasOr(query: string): boolean {
  return tokens(query).some((token) => token.kind === "keyword" && token.text.toUpperCase() === "OR");
}

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

function readQuery(query: string): Reader {
  const found: Token[] = [];
  const scopes: string[] = [];
  let expected: Expected = "field";
  let field = "";
  let inList = false;
  let between = false;
  let isPattern = false;
  let at = 0;
  const take = (kind: Kind, text: string, next: Expected): void => {
    found.push({ kind, from: at, to: at + text.length, text });
    at += text.length;
    expected = next;
  };
  const afterValue = (): Expected => (inList ? "bracket" : between ? "between" : "connective");
  while (at < query.length) {
    const blank = match(BLANK, query, at);
    if (blank) {
      take("blank", blank, expected);
      continue;
    }
    const sign = query[at] as string;
    const word = match(VALUE, query, at) ?? "";
    const keyword = KEYWORD.test(word) ? word.toUpperCase() : "";
    if (expected === "field") {
      const name = match(NAME, query, at);
      if (keyword === "NOT") take("keyword", word, "field");
      else if (sign === "(") take("bracket", sign, "field");
      else if (name && !KEYWORD.test(name)) {
        field = unquoteName(name);
        take("name", name, "operator");
      } else break;
    } else if (expected === "operator" || expected === "negated") {
      const operator = expected === "operator" ? match(OPERATOR, query, at) : null;
      if (operator) {
        isPattern = operator.endsWith("~");
        take("operator", operator, "value");
      } else if (keyword === "NOT" && expected === "operator") take("keyword", word, "negated");
      else if (keyword === "IN") take("keyword", word, "bracket");
      else if (keyword === "BETWEEN") {
        between = true;
        take("keyword", word, "value");
      } else if (keyword === "EXISTS") take("keyword", word, "connective");
      else if (query.startsWith(":{", at) || /^:\s*\{/.test(query.slice(at, at + 8))) {
        scopes.push(field);
        take("brace", query.slice(at, query.indexOf("{", at) + 1), "field");
      } else break;
    } else if (expected === "bracket") {
      if (!inList && sign === "(") {
        inList = true;
        take("bracket", sign, "value");
      } else if (inList && sign === ",") take("comma", sign, "value");
      else if (inList && sign === ")") {
        inList = false;
        take("bracket", sign, "connective");
      } else break;
    } else if (expected === "value") {
      const regex = isPattern ? match(REGEX, query, at) : null;
      const quoted = match(QUOTED, query, at);
      isPattern = false;
      if (regex) take("regex", regex, "connective");
      else if (quoted) take("string", quoted, afterValue());
      else if (word && !keyword) take("value", word, afterValue());
      else break;
    } else if (expected === "between") {
      if (keyword !== "AND") break;
      between = false;
      take("keyword", word, "value");
    } else if (expected === "connective") {
      if (keyword === "AND" || keyword === "OR") take("keyword", word, "field");
      else if (sign === ")") take("bracket", sign, "connective");
      else if (sign === "}" && scopes.length > 0) {
        scopes.pop();
        take("brace", sign, "connective");
      } else break;
    }
  }
  if (at < query.length) take("wrong", query.slice(at), "none");
  return { tokens: found, place: { expected, from: at, word: "", field, scope: scopes.at(-1) ?? "" } };
}

function unquoteName(name: string): string {
  return name.replace(
    /"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\[\s\S])*)'/g,
    (_whole, double?: string, single?: string) => (double ?? single ?? "").replace(/\\(["'\\])/g, "$1"),
  );
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** A field as it is written in a query. */
export function writeField(path: string): string {
  return PLAIN_FIELD.test(path) ? path : quote(path);
}

/** A value as it is written in a query, with nothing special in it. */
export function writeValue(value: string | number | bigint | boolean): string {
  const text = String(value);
  return PLAIN_VALUE.test(text) ? text : quote(text);
}

/** A query with one more condition. */
export function withCondition(query: string, condition: string): string {
  const text = query.trim();
  if (text === "") return condition;
  return hasOr(text) ? `(${text}) AND ${condition}` : `${text} AND ${condition}`;
}

export interface Choice {
  text: string;
  kind: "field" | "operator" | "keyword" | "value";
  type: string;
}

const KEYWORDS: Choice[] = ["AND", "OR"].map((text) => ({ text, kind: "keyword", type: "" }));
const NOT: Choice = { text: "NOT", kind: "keyword", type: "" };
const DATES = ["now-1h", "now-1d", "now-7d", "now-30d", "now-1y"];

/** The field that a written name means; letter case does not count where it leaves one choice. */
export function findField(fields: readonly Field[], written: string, scope: string): Field | undefined {
  const path = scope ? `${scope}.${written}` : written;
  const lower = path.toLowerCase();
  const alike = fields.filter((each) => each.name.toLowerCase() === lower);
  return fields.find((each) => each.name === path) ?? (alike.length === 1 ? alike[0] : undefined);
}

/** What can stand at a place without asking the server; null where it has to be asked for values. */
export function choices(place: Place, fields: readonly Field[]): Choice[] | null {
  switch (place.expected) {
    case "field": {
      const prefix = place.scope ? `${place.scope}.` : "";
      const names = fields
        .filter((field) => !field.problem && field.name.startsWith(prefix))
        .map(
          (field): Choice => ({
            text: writeField(field.name.slice(prefix.length)),
            kind: "field",
            type: field.type,
          }),
        );
      return [...names, NOT];
    }
    case "connective":
      return KEYWORDS;
    case "between":
      return KEYWORDS.slice(0, 1);
    case "operator":
    case "negated": {
      const operators = findField(fields, place.field, place.scope)?.operators ?? [];
      const texts =
        place.expected === "operator"
          ? operators
          : operators.filter((each) => each.startsWith("NOT ")).map((each) => each.slice(4));
      return texts.map((text) => ({ text, kind: "operator", type: "" }));
    }
    case "value": {
      const type = findField(fields, place.field, place.scope)?.type;
      const own =
        type === "boolean" ? ["true", "false"] : type === "date" || type === "date_nanos" ? DATES : null;
      return own?.map((text) => ({ text, kind: "value", type: "" })) ?? null;
    }
    default:
      return [];
  }
}
