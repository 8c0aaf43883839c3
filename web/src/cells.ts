/** Values of a document's fields: how they are found, shown, copied, and turned into conditions. */
import type { Document, Field, Json } from "../client/sluice-client.ts";
import { writeJson } from "../client/sluice-client.ts";
import { writeField, writeValue } from "./language.ts";

/** The values of a field; objects in lists are gone through. */
export function valuesAt(document: Json, path: string): Json[] {
  if (Array.isArray(document)) return document.flatMap((each) => valuesAt(each, path));
  if (document === null || typeof document !== "object") return [];
  const found: Json[] = [];
  if (Object.hasOwn(document, path)) found.push(...flat(document[path] as Json));
  // A member's own name may have dots.
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const first = path.slice(0, dot);
    if (Object.hasOwn(document, first)) found.push(...valuesAt(document[first] as Json, path.slice(dot + 1)));
  }
  return found;
}

function flat(value: Json): Json[] {
  return Array.isArray(value) ? value.flatMap(flat) : value === null ? [] : [value];
}

/** One value as text. */
export function textOf(value: Json): string {
  return typeof value === "object" ? writeJson(value) : String(value);
}

export const isDate = (type: string): boolean => type === "date" || type === "date_nanos";
const NUMBERS = new Set([
  "long",
  "integer",
  "short",
  "byte",
  "double",
  "float",
  "half_float",
  "scaled_float",
  "unsigned_long",
]);
export const isNumber = (type: string): boolean => NUMBERS.has(type);

/** A cell as it is shown. */
export function cellText(values: readonly Json[], type: string): string {
  return values.map((value) => (isDate(type) ? localTime(value) : textOf(value))).join(", ");
}

/** A cell as it is copied and as its title: times in UTC, whole. */
export function exactText(values: readonly Json[], type: string): string {
  return values.map((value) => (isDate(type) ? utcTime(value) : textOf(value))).join(", ");
}

/** The condition that a field has a value, or has not; null where the language has no such condition. */
export function conditionOf(field: Field, value: Json | undefined, equal: boolean): string | null {
  const name = writeField(field.name);
  if (value === undefined) {
    return field.operators.includes("EXISTS") ? `${name} ${equal ? "NOT EXISTS" : "EXISTS"}` : null;
  }
  if (value === null || typeof value === "object" || !field.operators.includes("=")) return null;
  return `${name} ${equal ? "=" : "!="} ${writeValue(value)}`;
}

function asDate(value: Json): Date | null {
  if (typeof value !== "string" && typeof value !== "number") return null;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date;
}

export function utcTime(value: Json): string {
  return asDate(value)?.toISOString() ?? textOf(value);
}

const two = (number: number): string => String(number).padStart(2, "0");

/** A time in the zone of the browser, in the order in which times sort. */
export function localTime(value: Json): string {
  const date = asDate(value);
  if (date === null) return textOf(value);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Columns for documents when none are chosen: fields that these have, in the order of the documents. */
export function defaultColumns(documents: readonly Document[], fields: readonly Field[], most = 7): string[] {
  const known = new Map(
    fields.filter((field) => !field.problem && field.type !== "object").map((field) => [field.name, field]),
  );
  const counts = new Map<string, number>();
  for (const document of documents.slice(0, 50)) {
    for (const path of paths(document)) if (known.has(path)) counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  // Long texts and lists of objects read badly in a cell.
  const plain = [...counts.keys()].filter((path) => {
    const field = known.get(path) as Field;
    return !field.nested && field.type !== "nested" && field.type !== "flattened";
  });
  return (plain.length > 0 ? plain : [...known.keys()]).slice(0, most);
}

function* paths(value: Json, prefix = "", depth = 0): Generator<string> {
  if (value === null || typeof value !== "object" || Array.isArray(value) || depth > 8) return;
  for (const [name, each] of Object.entries(value)) {
    const path = prefix ? `${prefix}.${name}` : name;
    yield path;
    yield* paths(each, path, depth + 1);
  }
}
