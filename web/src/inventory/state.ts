/** The inventory's page: one document, its text that is being written, and what became of a write. */
import { signal } from "@preact/signals";
import {
  type Document,
  SluiceProblem,
  type Stored,
  type Versions,
  writeJson,
} from "../../client/sluice-client.ts";
import { TEXT } from "../messages.ts";
import { asFailure, client, type Failure, hasEnded, me, open, say } from "../state.ts";
import { type Place, placeOfError, placesOf } from "./json.ts";

/** What is wrong at a place of the text. */
export interface Mark extends Place {
  line: number;
  detail: string;
}

export type Opened =
  | { phase: "busy" }
  | { phase: "new" }
  | { phase: "there"; stored: Stored }
  | { phase: "deleted" }
  | { phase: "failed"; failure: Failure };

/** What the text is written over: the version that was read when it was begun. */
interface Draft {
  text: string;
  etag: string | null;
  /** The other side of a conflict; null where there is none. */
  theirs: string | null;
}

export const opened = signal<Opened>({ phase: "busy" });
export const versions = signal<Versions | null>(null);
export const text = signal("");
export const marks = signal<Mark[]>([]);
export const failure = signal<Failure | null>(null);
export const theirs = signal<string | null>(null);
export const isSaving = signal(false);

/** Texts that are not saved, by type and id: who looks at something else meanwhile finds them again. */
const drafts = new Map<string, Draft>();
let etag: string | null = null;
let place = { type: "", id: "" };
let above: { type: string; id: string } | null = null;
const key = (): string => `${above?.id ?? ""}/${place.type}/${place.id}`;

export const mayWrite = (type: string): boolean =>
  me.value?.role === "admin" || (me.value?.writable_types.includes(type) ?? false);
export const hasDrafts = (): boolean => drafts.size > 0;
export const isChanged = (): boolean => drafts.has(key());
const written = (document: Document): string => writeJson(document, 2);

/** Read the document at a place; an empty id is that of a new one, which may stand below another. */
export async function show(type: string, id: string, parent: typeof above = null): Promise<void> {
  place = { type, id };
  above = parent;
  const current = key();
  opened.value = { phase: id === "" ? "new" : "busy" };
  versions.value = null;
  clear();
  take(drafts.get(current) ?? { text: id === "" ? "{\n  \n}" : "", etag: null, theirs: null });
  if (id === "") return;
  const found = await read(type, id);
  if (found === null || key() !== current) return;
  opened.value = found;
  if (!drafts.has(current) && found.phase === "there") {
    take({ text: written(found.stored.document), etag: found.stored.etag, theirs: null });
  }
  if (found.phase !== "failed") await readVersions();
}

function take(draft: Draft): void {
  text.value = draft.text;
  theirs.value = draft.theirs;
  etag = draft.etag;
}

function clear(): void {
  marks.value = [];
  failure.value = null;
}

async function read(type: string, id: string): Promise<Opened | null> {
  try {
    return { phase: "there", stored: await client.document(type, id) };
  } catch (error) {
    if (hasEnded(error)) return null;
    const failed = asFailure(error);
    return failed.code === "gone" ? { phase: "deleted" } : { phase: "failed", failure: failed };
  }
}

/** Read the versions, or those before the last one that is shown. */
export async function readVersions(before?: number): Promise<void> {
  const current = key();
  try {
    const page = await client.versions(place.type, place.id, before);
    if (key() !== current) return;
    const known = before === undefined ? [] : (versions.value?.versions ?? []);
    versions.value = { ...page, versions: [...known, ...page.versions] };
  } catch (error) {
    // Who may read a document of a public type need not be shown who wrote it.
    if (!hasEnded(error) && asFailure(error).code !== "forbidden") failure.value = asFailure(error);
  }
}

/** Note what was typed. */
export function change(next: string): void {
  text.value = next;
  clear();
  drafts.set(key(), { text: next, etag, theirs: theirs.value });
}

/** Give up what was typed, for what is there. */
export function discard(): void {
  drafts.delete(key());
  void show(place.type, place.id, above);
}

function lineOf(at: number): number {
  return text.value.slice(0, at).split("\n").length;
}

/** Write the text, over the version that it was begun with. */
export async function save(): Promise<void> {
  if (isSaving.value) return;
  clear();
  const { values, wrong } = placesOf(text.value);
  if (wrong !== null) {
    marks.value = [{ ...wrong, line: lineOf(wrong.from), detail: TEXT.expected(wrong.expected) }];
    return;
  }
  isSaving.value = true;
  const { type, id } = place;
  const sent = text.value;
  try {
    const done =
      id === ""
        ? await client.createDocument(type, sent, above ?? undefined)
        : { ...(await client.putDocument(type, id, sent, etag)), id };
    drafts.delete(key());
    say(TEXT.isSaved);
    if (id === "") return open(type, done.id);
    opened.value = { phase: "there", stored: done };
    take({ text: written(done.document), etag: done.etag, theirs: null });
    await readVersions();
  } catch (error) {
    if (hasEnded(error)) return;
    if (error instanceof SluiceProblem && error.errors.length > 0) {
      marks.value = error.errors.map(({ pointer, detail }) => {
        const where = placeOfError(sent, values, pointer);
        return { ...where, line: lineOf(where.from), detail: `${pointer || "/"}: ${detail}` };
      });
      return;
    }
    const failed = asFailure(error);
    if (failed.code === "precondition_failed" && id !== "") await meet(type, id);
    else failure.value = failed;
  } finally {
    isSaving.value = false;
  }
}

/** Somebody else has changed the document: what they wrote is shown beside the text, which is then written over it. */
async function meet(type: string, id: string): Promise<void> {
  const found = await read(type, id);
  if (found === null) return;
  if (found.phase === "failed") {
    failure.value = found.failure;
    return;
  }
  const stored = found.phase === "there" ? found.stored : null;
  const draft: Draft = {
    text: text.value,
    etag: stored?.etag ?? null,
    theirs: stored === null ? "" : written(stored.document),
  };
  drafts.set(key(), draft);
  take(draft);
  opened.value = found;
  await readVersions();
}

/** Delete the version that is shown. */
export async function remove(): Promise<void> {
  const now = opened.value;
  if (now.phase !== "there") return;
  await act(() => client.deleteDocument(place.type, place.id, now.stored.etag), TEXT.deleted);
}

/** Restore a version as a new one. */
export async function restore(version: number): Promise<void> {
  const now = opened.value;
  const over = now.phase === "there" ? now.stored.etag : null;
  await act(() => client.restoreDocument(place.type, place.id, version, over), TEXT.restored);
}

async function act(action: () => Promise<unknown>, said: string): Promise<void> {
  clear();
  try {
    await action();
    drafts.delete(key());
    say(said);
  } catch (error) {
    if (hasEnded(error)) return;
    const failed = asFailure(error);
    await show(place.type, place.id);
    failure.value = failed;
    return;
  }
  await show(place.type, place.id);
}

/** The texts of a version and of the one before it. */
export async function difference(version: number): Promise<{ before: string; after: string } | null> {
  const one = async (number: number): Promise<string> => {
    if (number === 0) return "";
    const { document } = await client.version(place.type, place.id, number);
    return document === null ? "" : written(document);
  };
  try {
    const [before, after] = await Promise.all([one(version - 1), one(version)]);
    return { before, after };
  } catch (error) {
    if (!hasEnded(error)) failure.value = asFailure(error);
    return null;
  }
}
