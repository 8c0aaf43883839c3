/** The page's state and what changes it; nothing here touches the DOM but the address. */
import { computed, signal } from "@preact/signals";
import {
  type Document,
  type Field,
  type HistoryEvent,
  type InventoryType,
  type Json,
  type Me,
  type Notice,
  type Page,
  type SavedSearch,
  type Search,
  SluiceClient,
  SluiceProblem,
  SluiceUnreachable,
} from "../client/sluice-client.ts";
import { defaultColumns } from "./cells.ts";
import {
  EMPTY,
  type Mailed,
  type PageName,
  readFragment,
  readMailed,
  type View,
  writeFragment,
} from "./fragment.ts";
import { withCondition } from "./language.ts";
import { TEXT } from "./messages.ts";

export interface Failure {
  code: string;
  detail: string;
  position: number | null;
  end: number | null;
  suggestions: string[];
  retryAfter: number | null;
  queryId: string | null;
  /** The text that position and end are in. */
  query: string;
}

export interface Found {
  query: string;
  index: string;
  sort: string[];
  count: number;
  relation: Page["count_relation"];
  took: number;
  queryId: string;
  notices: Notice[];
  rows: Document[];
  /** The rows' ids. */
  ids: string[];
  next: string | null;
  reading: "idle" | "busy";
  failure: Failure | null;
}

export type Result =
  | { phase: "start" }
  | { phase: "loading"; isSlow: boolean; before: Found | null }
  | { phase: "found"; found: Found }
  | { phase: "failed"; failure: Failure };

const PAGE_ROWS = 100;
const SLOW_MS = 3000;
/** How long a search in flight is waited for when another one is asked: its answer has the cursor to give up. */
const OVERLAP_MS = 1500;

export const client = new SluiceClient();
export const session = signal<"checking" | "out" | "ended" | "in" | "unreachable">("checking");
export const me = signal<Me | null>(null);
/** The link of a mail that is being followed. */
export const mailed = signal<Mailed | null>(null);
/** What somebody has done who logs in now, such as confirming an address, and their name. */
export const welcome = signal({ text: "", username: "" });
export const view = signal<View>(EMPTY);
/** The text in the box, which may not have been run. */
export const draft = signal("");
export const fields = signal<Field[]>([]);
export const fieldsFailure = signal<Failure | null>(null);
export const result = signal<Result>({ phase: "start" });
/** What is wrong with the text that is being typed, as far as one can say before it is done. */
export const draftFailure = signal<Failure | null>(null);
export const draftNotices = signal<Notice[]>([]);
export const dsl = signal<{ query: string; text: Json } | null>(null);
export const isDslOpen = signal(false);
export const opened = signal<number | null>(null);
export const toast = signal("");
/** The types of the inventory; null until they are asked for. */
export const types = signal<InventoryType[] | null>(null);
export const typesFailure = signal<Failure | null>(null);

export const found = computed<Found | null>(() => {
  const now = result.value;
  return now.phase === "found" ? now.found : now.phase === "loading" ? now.before : null;
});
export const fieldByName = computed(() => new Map(fields.value.map((field) => [field.name, field])));
export const columns = computed(() =>
  view.value.columns.length > 0 ? view.value.columns : defaultColumns(found.value?.rows ?? [], fields.value),
);
export const failure = computed<Failure | null>(() => {
  const now = result.value;
  if (now.phase === "failed" && now.failure.query === draft.value) return now.failure;
  return draftFailure.value?.query === draft.value ? draftFailure.value : null;
});
export const notices = computed<Notice[]>(() => {
  const now = found.value;
  return now !== null && now.query === draft.value && result.value.phase === "found"
    ? now.notices
    : draftNotices.value;
});

/** What became of an action, for somebody at the page. */
export function asFailure(error: unknown, query = ""): Failure {
  const place = { position: null, end: null, suggestions: [], retryAfter: null, queryId: null, query };
  if (error instanceof SluiceProblem) {
    const { code, detail, position, end, suggestions, retryAfter, queryId } = error;
    return { code, detail, position, end, suggestions, retryAfter, queryId, query };
  }
  if (error instanceof SluiceUnreachable) {
    return { ...place, code: navigator.onLine ? "unreachable" : "offline", detail: "" };
  }
  console.error(error);
  return { ...place, code: "fault", detail: error instanceof Error ? error.message : String(error) };
}

const isAborted = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
const ENDED = new Set(["unauthenticated", "token_expired"]);

/** Whether a refusal says that the session has ended. */
export const saysEnded = (error: unknown): boolean => error instanceof SluiceProblem && ENDED.has(error.code);

/** Whether a refusal says that the session has ended; then somebody logs in, over the page. */
export function hasEnded(error: unknown): boolean {
  if (!saysEnded(error)) return false;
  session.value = me.value === null ? "out" : "ended";
  return true;
}

/** Take the session of the cookie, if there is one. */
export async function begin(): Promise<void> {
  readAddress();
  await enter();
}

/** Learn who came in, and show what the address asks for. */
export async function enter(): Promise<void> {
  try {
    const known = me.value;
    const now = await client.me();
    // Somebody else, who is shown nothing of what any part of the page has; the address stays, as a link does.
    if (known !== null && known.username !== now.username) return location.reload();
    me.value = now;
    session.value = "in";
    if (known !== null) {
      // What was going on when the session ended goes on.
      if (fields.value.length === 0) await loadFields();
      const shown = result.value;
      if (shown.phase === "failed" && ENDED.has(shown.failure.code)) await run();
      return;
    }
    // An index of the address stays, granted or not: the answer says what is missing.
    if (view.value.index === "") view.value = { ...view.value, index: indices()[0] ?? "" };
    const reading = loadFields();
    if (view.value.view === "search" && readFragment(location.hash).asked) await run();
    await reading;
  } catch (error) {
    if (!hasEnded(error)) session.value = me.value === null ? "unreachable" : session.value;
  }
}

export const indices = (): string[] => me.value?.indices ?? [];

/** Take the view of the address; whether it has one, and not the link of a mail. */
export function readAddress(): boolean {
  const link = readMailed(location.hash);
  if (link !== null) {
    mailed.value = link;
    // Neither the address bar nor the history keeps the token.
    history.replaceState(null, "", location.pathname);
    return false;
  }
  const { asked: _, ...read } = readFragment(location.hash);
  view.value = { ...read, index: read.index || view.value.index };
  draft.value = read.query;
  return true;
}

function writeAddress(isStep: boolean): void {
  const address = writeFragment(view.value);
  if (address === location.hash) return;
  if (isStep) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

/** Give up the snapshot, as when the page is left: a user may hold few, and each is kept for two minutes. */
export function leave(): void {
  const cursor = found.value?.next;
  if (cursor) void client.closeCursor(cursor);
}

/** Change how results are shown, without a search. */
export function show(change: Partial<View>): void {
  view.value = { ...view.value, ...change };
  writeAddress(false);
}

export async function loadFields(): Promise<void> {
  const index = view.value.index;
  try {
    const answer = await client.fields(index || undefined);
    if (view.value.index !== index) return;
    if (index === "") view.value = { ...view.value, index: answer.index };
    fields.value = answer.fields;
    fieldsFailure.value = null;
  } catch (error) {
    if (!hasEnded(error)) fieldsFailure.value = asFailure(error);
  }
}

export function chooseIndex(index: string): void {
  view.value = { ...view.value, index, sort: [], columns: [], widths: [] };
  fields.value = [];
  dsl.value = null;
  draftFailure.value = null;
  draftNotices.value = [];
  const wasFound = result.value.phase !== "start";
  result.value = { phase: "start" };
  void loadFields();
  if (wasFound) void run();
  else writeAddress(false);
}

let wanted = 0;
let flight: AbortController | null = null;

/** Run what is in the box. However often it is asked for, one search is in flight, and the last one counts. */
export async function run(): Promise<void> {
  wanted += 1;
  opened.value = null;
  if (flight !== null) {
    const late = flight;
    setTimeout(() => late.abort(), OVERLAP_MS);
    return;
  }
  while (true) {
    const current = wanted;
    flight = new AbortController();
    await runOnce(flight.signal);
    flight = null;
    if (current === wanted) return;
  }
}

export function cancel(): void {
  flight?.abort();
}

async function runOnce(signal: AbortSignal): Promise<void> {
  const before = found.value;
  const query = draft.value;
  view.value = { ...view.value, view: "search", query };
  writeAddress(true);
  result.value = { phase: "loading", isSlow: false, before };
  const slow = setTimeout(() => {
    if (result.value.phase === "loading") result.value = { ...result.value, isSlow: true };
  }, SLOW_MS);
  const { index, sort } = view.value;
  if (before?.next) void client.closeCursor(before.next);
  try {
    const page = await client.search(
      { ...request(query, index, sort), cursor: "start", size: PAGE_ROWS, ids: true },
      signal,
    );
    draftFailure.value = null;
    draftNotices.value = [];
    result.value = {
      phase: "found",
      found: {
        query,
        index,
        sort,
        count: page.count,
        relation: page.count_relation,
        took: page.took_ms,
        queryId: page.query_id,
        notices: page.notices,
        rows: page.results,
        ids: page.ids ?? [],
        next: page.next,
        reading: "idle",
        failure: null,
      },
    };
    if (isDslOpen.value) void showDsl();
  } catch (error) {
    if (isAborted(error))
      result.value = before ? { phase: "found", found: { ...before, next: null } } : { phase: "start" };
    else {
      hasEnded(error);
      result.value = { phase: "failed", failure: asFailure(error, query) };
    }
  } finally {
    clearTimeout(slow);
  }
}

function request(query: string, index: string, sort: string[]): Search {
  return { query, ...(index && { index }), ...(sort.length > 0 && { sort }) };
}

/** How a column is sorted. */
export function orderOf(name: string, sort: readonly string[]): "ascending" | "descending" | "none" {
  return sort.includes(name) ? "ascending" : sort.includes(`-${name}`) ? "descending" : "none";
}

/** Read the next page of the snapshot. */
export async function readOn(): Promise<void> {
  const now = result.value;
  if (now.phase !== "found" || now.found.next === null || now.found.reading === "busy" || now.found.failure)
    return;
  const from = now.found;
  const isCurrent = (): boolean =>
    result.value.phase === "found" && result.value.found.queryId === from.queryId;
  result.value = { phase: "found", found: { ...from, reading: "busy" } };
  try {
    const asked = {
      ...request(from.query, from.index, from.sort),
      cursor: from.next as string,
      size: PAGE_ROWS,
      ids: true,
    };
    const page = await client.search(asked);
    if (!isCurrent()) return;
    // One list that grows: a copy for each page would be a million copied rows by the ten-thousandth.
    from.rows.push(...page.results);
    from.ids.push(...(page.ids ?? []));
    result.value = { phase: "found", found: { ...from, next: page.next, reading: "idle" } };
  } catch (error) {
    if (!isCurrent()) return;
    const ended = hasEnded(error);
    const failed = ended ? null : asFailure(error, from.query);
    result.value = { phase: "found", found: { ...from, reading: "idle", failure: failed } };
  }
}

/** Try to read on once more, after a fault that is not the snapshot's end. */
export function retryReadingOn(): void {
  const now = result.value;
  if (now.phase !== "found") return;
  result.value = { phase: "found", found: { ...now.found, failure: null } };
  void readOn();
}

export interface Past {
  events: HistoryEvent[];
  next: string | null;
  phase: "busy" | "read";
  failure: Failure | null;
}

export const past = signal<Past>({ events: [], next: null, phase: "busy", failure: null });

/** Read one's own searches, or more of them. */
export async function readHistory(before?: string): Promise<void> {
  const kept = before === undefined ? [] : past.value.events;
  past.value = { events: kept, next: null, phase: "busy", failure: null };
  try {
    const page = await client.history(before);
    past.value = { events: [...kept, ...page.events], next: page.next, phase: "read", failure: null };
  } catch (error) {
    const failed = hasEnded(error) ? null : asFailure(error);
    past.value = { events: kept, next: before ?? null, phase: "read", failure: failed };
  }
}

/** In the place of an id: something new. */
export const NEW = "?new";

/** Run a saved search, with one's own rights. */
export function openSaved(search: SavedSearch): void {
  const index = search.index ?? indices()[0] ?? "";
  if (index !== view.value.index) fields.value = [];
  const columns = search.columns ?? [];
  view.value = { ...view.value, index, sort: search.sort, columns, widths: columns.map(() => 0) };
  if (fields.value.length === 0) void loadFields();
  draft.value = search.query;
  void run();
}

/** Go to a page. */
export function go(to: PageName, change: Partial<View> = {}): void {
  const isThere = view.value.view === to;
  view.value = { ...view.value, ...change, view: to };
  writeAddress(true);
  // Who asks for the history again wants what has come since.
  if (isThere && to === "history") void readHistory();
}

/** Open a document of the inventory. */
export function open(type: string, id: string): void {
  go("inventory", { type, id });
}

/** Read the types of the inventory. */
export async function readTypes(): Promise<void> {
  try {
    types.value = await client.inventoryTypes();
    typesFailure.value = null;
  } catch (error) {
    if (!hasEnded(error)) typesFailure.value = asFailure(error);
  }
}

/** Run a search of the past again, as it was. */
export function repeat(event: HistoryEvent): void {
  const index = event.index ?? view.value.index;
  if (index !== view.value.index) {
    view.value = { ...view.value, index, sort: [], columns: [], widths: [] };
    fields.value = [];
    void loadFields();
  }
  draft.value = event.query ?? "";
  void run();
}

/** Sort by a column alone: by its values ascending, descending, and no more, in turn. */
export function sortBy(name: string): void {
  const order = orderOf(name, view.value.sort);
  view.value = {
    ...view.value,
    sort: order === "ascending" ? [`-${name}`] : order === "descending" ? [] : [name],
  };
  draft.value = found.value?.query ?? draft.value;
  void run();
}

/** Add a condition to the query that the results are of, and run it. */
export function filterBy(condition: string): void {
  draft.value = withCondition(found.value?.query ?? draft.value, condition);
  void run();
}

/** Put a text in the place of a part of the box. */
export function replace(from: number, to: number, text: string): void {
  draft.value = draft.value.slice(0, from) + text + draft.value.slice(to);
}

/** Look at what is being typed: what is wrong with it, and what it perhaps does not mean. */
export async function check(query: string, signal: AbortSignal): Promise<void> {
  try {
    const answer = await client.translate(query, view.value.index || undefined, signal);
    if (draft.value !== query) return;
    draftFailure.value = null;
    draftNotices.value = answer.notices;
    if (isDslOpen.value) dsl.value = { query, text: answer.query };
  } catch (error) {
    // That the session has ended is told when something is run: a dialog now would take the keys of who types.
    if (isAborted(error) || draft.value !== query) return;
    const failed = asFailure(error, query);
    // A text that ends too early is not wrong: somebody is typing. Faults of the network are told when it is run.
    const isUnfinished = failed.position === null || failed.position >= query.trimEnd().length;
    draftFailure.value = isUnfinished ? null : failed;
    draftNotices.value = [];
  }
}

export async function showDsl(): Promise<void> {
  isDslOpen.value = true;
  const query = draft.value;
  try {
    const answer = await client.translate(query, view.value.index || undefined);
    dsl.value = { query, text: answer.query };
  } catch (error) {
    dsl.value = null;
    if (!hasEnded(error)) draftFailure.value = asFailure(error, query);
  }
}

export async function format(): Promise<void> {
  const query = draft.value;
  try {
    const { canonical } = await client.translate(query, view.value.index || undefined);
    if (draft.value === query) draft.value = canonical;
  } catch (error) {
    if (!hasEnded(error)) draftFailure.value = asFailure(error, query);
  }
}

/** The address of all rows with the columns as they are, as a file. */
export async function downloadAddress(form: "csv" | "ndjson"): Promise<string | null> {
  const from = found.value;
  if (from === null) return null;
  try {
    return await client.download(
      { ...request(from.query, from.index, from.sort), fields: columns.value },
      form,
    );
  } catch (error) {
    if (!hasEnded(error)) say(asFailure(error).detail);
    return null;
  }
}

export async function copy(text: string, said: string = TEXT.copied): Promise<void> {
  await navigator.clipboard.writeText(text);
  say(said);
}

let saying: ReturnType<typeof setTimeout> | undefined;
export function say(text: string): void {
  toast.value = text;
  clearTimeout(saying);
  saying = setTimeout(() => {
    toast.value = "";
  }, 5000);
}

export async function logOut(): Promise<void> {
  try {
    await client.logOut();
  } catch (error) {
    say(asFailure(error).detail);
    return;
  }
  // What any part of the page has of its user ends with it: rows, lists, texts that were begun.
  history.replaceState(null, "", location.pathname);
  location.reload();
}
