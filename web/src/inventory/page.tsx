/** The inventory: its types, the documents of one, and one document with its history. */
import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Child, Page, Version } from "../../client/sluice-client.ts";
import { localTime, textOf, utcTime } from "../cells.ts";
import { Confirm } from "../confirm.tsx";
import { adviceFor, TEXT } from "../messages.ts";
import { Failed } from "../results.tsx";
import {
  asFailure,
  client,
  type Failure,
  go,
  hasEnded,
  NEW,
  open,
  readTypes,
  types,
  typesFailure,
  view,
} from "../state.ts";
import { type JsonEditor, makeJsonEditor } from "./editor.ts";
import {
  change,
  difference,
  discard,
  failure,
  hasDrafts,
  isChanged,
  isSaving,
  marks,
  mayWrite,
  opened,
  readVersions,
  remove,
  restore,
  save,
  show,
  text,
  theirs,
  versions,
} from "./state.ts";

/** In the place of an id, which has no question mark: a document below another. */
const BELOW = "?below=";

export default function Inventory() {
  const { type, id } = view.value;
  useEffect(() => {
    if (types.value === null) void readTypes();
    const leaving = (event: BeforeUnloadEvent): void => {
      if (hasDrafts()) event.preventDefault();
    };
    window.addEventListener("beforeunload", leaving);
    return () => window.removeEventListener("beforeunload", leaving);
  }, []);
  if (typesFailure.value) return <Failed failure={typesFailure.value} again={readTypes} />;
  if (types.value === null) return <Busy />;
  const declared = types.value.find((each) => each.name === type) ?? null;
  if (type !== "" && id !== "") {
    const parent =
      declared?.parent && id.startsWith(BELOW) ? { type: declared.parent, id: id.slice(BELOW.length) } : null;
    return (
      <OneDocument key={`${type}/${id}`} type={type} id={id.startsWith("?") ? "" : id} parent={parent} />
    );
  }
  return <Documents key={type} type={declared?.name ?? types.value[0]?.name ?? ""} />;
}

function Busy() {
  return (
    <p class="state quiet" role="status">
      {TEXT.loading}
    </p>
  );
}

/** The documents of a type that a query finds, as links. */
function Documents({ type }: { type: string }) {
  const query = useSignal("");
  const page = useSignal<Page | null>(null);
  const failed = useSignal<Failure | null>(null);
  async function read(): Promise<void> {
    failed.value = null;
    if (type === "") return;
    try {
      page.value = await client.documents(type, query.value);
    } catch (error) {
      if (!hasEnded(error)) failed.value = asFailure(error, query.value);
    }
  }
  useEffect(() => void read(), []);
  const declared = types.value?.find((each) => each.name === type);
  const ids = page.value?.ids ?? [];
  return (
    <section id="results" class="inventory">
      <h2>{TEXT.inventory}</h2>
      {declared === undefined ? (
        <p class="quiet">{TEXT.noTypes}</p>
      ) : (
        <>
          <form
            class="query-row"
            onSubmit={(event) => {
              event.preventDefault();
              void read();
            }}
          >
            <label>
              <span class="sr">{TEXT.type}</span>
              <select
                value={type}
                onChange={(event) => go("inventory", { type: event.currentTarget.value, id: "" })}
              >
                {types.value?.map((each) => (
                  <option key={each.name} value={each.name}>
                    {each.name}
                  </option>
                ))}
              </select>
            </label>
            <input
              class="box"
              aria-label={TEXT.query}
              placeholder={TEXT.everything}
              value={query.value}
              onInput={(event) => {
                query.value = event.currentTarget.value;
              }}
            />
            <button type="submit" class="primary">
              {TEXT.run}
            </button>
            {mayWrite(type) && declared.parent === null && (
              <button type="button" onClick={() => open(type, NEW)}>
                {TEXT.newDocument}
              </button>
            )}
          </form>
          {failed.value && (
            <p class="message bad" role="alert">
              <strong>{adviceFor(failed.value.code).title}.</strong> {failed.value.detail}
            </p>
          )}
          {page.value && (
            <p class="quiet" aria-live="polite">
              {TEXT.received(page.value.count, page.value.count_relation)}
              {page.value.count > ids.length && ` · ${TEXT.firstOnes(ids.length)}`}
            </p>
          )}
          <ul class="documents">
            {ids.map((id, at) => (
              <li key={id}>
                <button type="button" class="bare past" onClick={() => open(type, id)}>
                  <code>{id}</code>
                </button>
                <span class="quiet clip">{textOf(page.value?.results[at] ?? null)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

type Above = { type: string; id: string } | null;

function OneDocument({ type, id, parent }: { type: string; id: string; parent: Above }) {
  useEffect(() => void show(type, id, parent), []);
  const now = opened.value;
  const isDeleting = useSignal(false);
  if (now.phase === "busy") return <Busy />;
  if (now.phase === "failed") return <Failed failure={now.failure} again={() => show(type, id, parent)} />;
  const may = mayWrite(type);
  const state = versions.value?.index_state;
  return (
    <section id="results" class="inventory">
      <header class="row">
        <button
          type="button"
          class="small"
          onClick={() => (parent ? open(parent.type, parent.id) : go("inventory", { type, id: "" }))}
        >
          ← {parent ? `${parent.type} ${parent.id}` : type}
        </button>
        <h2 class="clip">{id || TEXT.newDocument}</h2>
        {now.phase === "there" && (
          <span class="quiet">{TEXT.version(now.stored.etag.replaceAll('"', ""))}</span>
        )}
        {state && now.phase === "there" && (
          <span class={state === "rejected" ? "problem-line" : "quiet"}>{TEXT.indexState[state]}</span>
        )}
        <span class="space" />
        {may && now.phase === "there" && (
          <button
            type="button"
            class="small"
            onClick={() => {
              isDeleting.value = true;
            }}
          >
            {TEXT.delete}
          </button>
        )}
      </header>
      {isDeleting.value && (
        <Confirm
          question={TEXT.deleteQuestion(`${type} ${id}`)}
          close={(isSure) => {
            isDeleting.value = false;
            if (isSure) void remove();
          }}
        />
      )}
      {now.phase === "deleted" && theirs.value === null && <p class="message hint">{TEXT.wasDeleted}</p>}
      <Conflict />
      {failure.value && (
        <p class="message bad" role="alert" data-code={failure.value.code}>
          <strong>{adviceFor(failure.value.code).title}.</strong> {failure.value.detail}
        </p>
      )}
      {(now.phase !== "deleted" || theirs.value !== null) && <Text isEditable={may} />}
      {now.phase === "there" && <Children type={type} id={id} />}
      {versions.value && <History may={may} />}
    </section>
  );
}

/** Two people have changed one document: in words, what is shown below. */
function Conflict() {
  if (theirs.value === null) return null;
  const newest = versions.value?.versions[0];
  return (
    <div class="message hint" role="alert">
      <p>
        <strong>{adviceFor("precondition_failed").title}.</strong>{" "}
        {theirs.value === "" ? TEXT.conflictDeleted : TEXT.conflict}
        {newest && ` ${TEXT.changedBy(newest.actor ?? TEXT.erased, localTime(newest.at))}`}
      </p>
      <button type="button" class="small" onClick={discard}>
        {TEXT.takeAllTheirs}
      </button>
    </div>
  );
}

/** The document's text, to be changed, with what is wrong in it. */
function Text({ isEditable }: { isEditable: boolean }) {
  const editor = useRef<JsonEditor | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const other = theirs.value;
  useEffect(() => {
    const made = makeJsonEditor(place.current as HTMLDivElement, text.value, {
      label: TEXT.documentJson,
      original: other,
      edits: isEditable ? { changed: change, save: () => void save() } : undefined,
    });
    editor.current = made;
    const ends = [effect(() => made.set(text.value)), effect(() => made.mark(marks.value))];
    return () => {
      for (const end of ends) end();
      made.destroy();
    };
  }, [other, isEditable]);
  return (
    <>
      <div class="json" ref={place} />
      {marks.value.length > 0 && (
        <div class="message bad" role="alert">
          <ul class="marks">
            {marks.value.map((mark) => (
              <li key={`${mark.from} ${mark.detail}`}>
                <button type="button" class="small" onClick={() => editor.current?.goTo(mark)}>
                  {TEXT.line(mark.line)}
                </button>{" "}
                {mark.detail}
              </li>
            ))}
          </ul>
        </div>
      )}
      {isEditable && (
        <p class="row">
          <button type="button" class="primary" aria-disabled={isSaving.value} onClick={() => save()}>
            {theirs.value === null ? TEXT.save : TEXT.saveOver}
          </button>
          {isChanged() && (
            <button type="button" onClick={discard}>
              {TEXT.discard}
            </button>
          )}
        </p>
      )}
    </>
  );
}

/** The documents below this one, of each type that has it as its parent. */
function Children({ type, id }: { type: string; id: string }) {
  const below = types.value?.filter((each) => each.parent === type) ?? [];
  return (
    <>
      {below.map((each) => (
        <ChildList key={each.name} type={type} id={id} childType={each.name} />
      ))}
    </>
  );
}

function ChildList({ type, id, childType }: { type: string; id: string; childType: string }) {
  const found = useSignal<Child[]>([]);
  const next = useSignal<string | undefined>(undefined);
  async function read(after?: string): Promise<void> {
    try {
      const page = await client.children(type, id, childType, after);
      found.value = [...found.value, ...page.results];
      next.value = page.next;
    } catch (error) {
      if (!hasEnded(error)) failure.value = asFailure(error);
    }
  }
  useEffect(() => void read(), []);
  return (
    <section class="below">
      <h3>{childType}</h3>
      {found.value.length === 0 && <p class="quiet">{TEXT.noChildren}</p>}
      <ul class="documents">
        {found.value.map((child) => (
          <li key={child.id}>
            <button type="button" class="bare past" onClick={() => open(childType, child.id)}>
              <code>{child.id}</code>
            </button>
            <span class="quiet clip">{textOf(child.document)}</span>
          </li>
        ))}
      </ul>
      <p class="row">
        {next.value !== undefined && (
          <button type="button" class="small" onClick={() => read(next.value)}>
            {TEXT.more}
          </button>
        )}
        {mayWrite(childType) && (
          <button type="button" class="small" onClick={() => open(childType, BELOW + id)}>
            {TEXT.newDocument}
          </button>
        )}
      </p>
    </section>
  );
}

/** The versions, each with its difference from the one before. */
function History({ may }: { may: boolean }) {
  const known = versions.value;
  const shown = useSignal<number | null>(null);
  if (known === null) return null;
  const isThere = opened.value.phase === "there";
  return (
    <section class="below">
      <h3>{TEXT.versionsTitle}</h3>
      <ol class="versions">
        {known.versions.map((version, at) => (
          <li key={version.version}>
            <div class="row">
              <button
                type="button"
                class="small"
                aria-expanded={shown.value === version.version}
                onClick={() => {
                  shown.value = shown.value === version.version ? null : version.version;
                }}
              >
                {TEXT.version(version.version)}
              </button>
              <span>{TEXT.operation[version.op]}</span>
              <span>{version.actor ?? <span class="quiet">{TEXT.erased}</span>}</span>
              <time class="quiet" dateTime={version.at} title={utcTime(version.at)}>
                {localTime(version.at)}
              </time>
              <code class="quiet clip">{changedMembers(version)}</code>
              <span class="space" />
              {may && (at > 0 || !isThere) && version.op !== "delete" && version.op !== "erase" && (
                <button type="button" class="small" onClick={() => restore(version.version)}>
                  {TEXT.restoreVersion(version.version)}
                </button>
              )}
            </div>
            {shown.value === version.version && <Difference version={version.version} />}
          </li>
        ))}
      </ol>
      {known.next !== undefined && (
        <button type="button" class="small" onClick={() => readVersions(known.next)}>
          {TEXT.more}
        </button>
      )}
    </section>
  );
}

const changedMembers = (version: Version): string =>
  version.changed.filter((pointer) => pointer !== "").join(", ");

function Difference({ version }: { version: number }) {
  const place = useRef<HTMLDivElement>(null);
  const texts = useSignal<{ before: string; after: string } | null>(null);
  useEffect(() => {
    void difference(version).then((found) => {
      texts.value = found;
    });
  }, []);
  const found = texts.value;
  useEffect(() => {
    if (found === null) return;
    const made = makeJsonEditor(place.current as HTMLDivElement, found.after, {
      label: TEXT.differenceOf(version),
      original: found.before,
    });
    return () => made.destroy();
  }, [found]);
  return <div class="json" ref={place} />;
}
