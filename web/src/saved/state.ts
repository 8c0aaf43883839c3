/** Saved searches and collections: what the page shows, and what changes it. */
import { signal } from "@preact/signals";
import {
  type Collection,
  type CollectionMembers,
  type KeptWhich,
  type SavedSearch,
  type SearchMembers,
  type SearchSummary,
  SluiceProblem,
} from "../../client/sluice-client.ts";
import { TEXT } from "../messages.ts";
import { asFailure, client, type Failure, go, hasEnded, me, openSaved, say } from "../state.ts";

/** The list of what users who were deleted had shared, in the place of a collection's id. */
export const ORPHANED = "?orphaned";
/** More of others' are not shown: a list of thousands is nothing that somebody reads. One's own are fewer. */
const MAX_PAGES = 10;

export const searches = signal<SearchSummary[] | null>(null);
export const collections = signal<Collection[]>([]);
/** Whether others share more than is shown. */
export const hasMore = signal(false);
export const failure = signal<Failure | null>(null);

/** Read everything that the caller sees. */
export async function read(isOrphaned: boolean): Promise<void> {
  failure.value = null;
  try {
    const [kept, grouped] = await Promise.all([
      all(isOrphaned, async (before, which) => {
        const page = await client.savedSearches(before, which);
        return { rows: page.searches, next: page.next };
      }),
      all(isOrphaned, async (before, which) => {
        const page = await client.collections(before, which);
        return { rows: page.collections, next: page.next };
      }),
    ]);
    searches.value = kept.rows;
    collections.value = grouped.rows;
    hasMore.value = kept.isMore || grouped.isMore;
  } catch (error) {
    if (!hasEnded(error)) failure.value = asFailure(error);
  }
}

type ReadPage<T> = (before: string | null, which: KeptWhich) => Promise<{ rows: T[]; next: string | null }>;

/** One's own, however many others share theirs, and the newest of those. */
async function all<T extends { id: string }>(isOrphaned: boolean, readPage: ReadPage<T>) {
  const first = await pages(isOrphaned ? "orphaned" : "all", readPage);
  if (!first.isMore || isOrphaned) return first;
  const own = await pages("mine", readPage);
  const byId = new Map([...own.rows, ...first.rows].map((each) => [each.id, each]));
  return { rows: [...byId.values()], isMore: true };
}

async function pages<T>(which: KeptWhich, readPage: ReadPage<T>): Promise<{ rows: T[]; isMore: boolean }> {
  const found: T[] = [];
  let next: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { rows, next: following } = await readPage(next, which);
    found.push(...rows);
    next = following;
    if (next === null) break;
  }
  return { rows: found, isMore: next !== null };
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Do something at the server, one after the other, so that each knows the version that the one before has left.
 *
 * @returns whether it was done. What went wrong is told, and the list read anew.
 */
function act(work: () => Promise<unknown>, isOrphaned: boolean): Promise<boolean> {
  const next = last.then(() => actNow(work, isOrphaned));
  last = next;
  return next;
}

async function actNow(work: () => Promise<unknown>, isOrphaned: boolean): Promise<boolean> {
  try {
    await work();
    await read(isOrphaned);
    return failure.value === null;
  } catch (error) {
    if (hasEnded(error)) return false;
    const failed = asFailure(error);
    await read(isOrphaned);
    failure.value = failed;
    return false;
  }
}

/** Run a saved search in the query box. */
export async function open(id: string): Promise<void> {
  try {
    openSaved(await client.savedSearch(id));
  } catch (error) {
    if (!hasEnded(error)) failure.value = asFailure(error);
  }
}

export async function watch(search: SearchSummary, interval: number): Promise<void> {
  if (await act(() => client.watch(search.id, interval), false)) say(TEXT.watched);
}

export async function endWatch(search: SearchSummary): Promise<void> {
  if (await act(() => client.endWatch(search.id), false)) say(TEXT.watchEnded);
}

export async function removeSearch(search: SearchSummary, isOrphaned: boolean): Promise<void> {
  if (await act(() => client.deleteSearch(search.id, search.version), isOrphaned)) say(TEXT.deleted);
}

export async function removeCollection(collection: Collection, isOrphaned: boolean): Promise<void> {
  if (!(await act(() => client.deleteCollection(collection.id, collection.version), isOrphaned))) return;
  go("saved", { type: isOrphaned ? ORPHANED : "", id: "" });
  say(TEXT.deleted);
}

/** The version of a collection, as it was read last. */
const versionOf = (id: string): number => collections.value.find((each) => each.id === id)?.version ?? 0;

/** Put a search into a collection, before another one or at the end. */
export const putInto = (collection: string, id: string, before: string | null): Promise<boolean> =>
  act(() => client.putIntoCollection(collection, id, versionOf(collection), before), false);

export const takeOut = (collection: string, id: string): Promise<boolean> =>
  act(() => client.takeFromCollection(collection, id, versionOf(collection)), false);

/** What is edited: a search, if it has a query, or a collection. */
export type Members = Required<CollectionMembers> & Partial<Required<SearchMembers>>;

export interface Edited {
  /** Empty for a new one. */
  id: string;
  /** The version that a change takes; 0 for a new one. */
  version: number;
  role: SavedSearch["role"];
  /** As it was read. */
  before: Members;
  /** As it is typed. */
  now: Members;
  /** As somebody else has left it meanwhile; "gone" if it is not there any more. */
  theirs: { members: Members; version: number } | "gone" | null;
}

/** Members of what was read, as they are edited. */
export function membersOf(kept: SavedSearch | Collection): Members {
  const { title, description, visibility, users = [] } = kept;
  const common = { title, description, visibility, users };
  if (!("query" in kept)) return common;
  const { query, index, columns, sort } = kept;
  return { ...common, query, index, columns, sort };
}

/** The members that two versions have differently. */
export function differing(one: Members, other: Members): (keyof Members)[] {
  const names = Object.keys(one) as (keyof Members)[];
  return names.filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]));
}

async function readOne(kind: "search" | "collection", id: string): Promise<SavedSearch | Collection> {
  return kind === "search" ? client.savedSearch(id) : client.collection(id);
}

/** Read one to edit it. */
export async function readEdited(kind: "search" | "collection", id: string): Promise<Edited> {
  const kept = await readOne(kind, id);
  const members = membersOf(kept);
  return { id, version: kept.version, role: kept.role, before: members, now: members, theirs: null };
}

/**
 * Save what was edited: what was changed, and nothing else.
 *
 * @returns it as it is kept now, or with what somebody else has made of it meanwhile.
 */
export async function save(kind: "search" | "collection", edited: Edited): Promise<Edited> {
  try {
    const kept = await store(kind, edited);
    const members = membersOf(kept);
    return { ...edited, id: kept.id, version: kept.version, before: members, now: members, theirs: null };
  } catch (error) {
    if (!(error instanceof SluiceProblem)) throw error;
    if (error.code === "not_found" && edited.id !== "") return { ...edited, theirs: "gone" };
    if (error.code !== "precondition_failed") throw error;
    const kept = await readOne(kind, edited.id);
    const members = membersOf(kept);
    // What was not changed here is as they have left it.
    return { ...edited, now: { ...members, ...changed(edited) }, theirs: { members, version: kept.version } };
  }
}

async function store(kind: "search" | "collection", edited: Edited): Promise<SavedSearch | Collection> {
  const { id, version, now } = edited;
  if (id === "")
    return kind === "search" ? client.saveSearch(now as SearchMembers) : client.makeCollection(now);
  return kind === "search"
    ? client.changeSearch(id, changed(edited), version)
    : client.changeCollection(id, changed(edited), version);
}

/** The members that were changed; who sees it goes with those who are named. */
function changed({ before, now }: Edited): Partial<Members> {
  const names = new Set<string>(differing(now, before));
  if (names.has("visibility") || names.has("users")) names.add("visibility").add("users");
  return Object.fromEntries(Object.entries(now).filter(([name]) => names.has(name)));
}

/** Whether the caller may search the index of a search. */
export const maySearch = (search: SearchSummary): boolean =>
  search.index === null || (me.value?.indices ?? []).includes(search.index);
