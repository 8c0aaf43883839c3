/** The form of a saved search or a collection, new or as it is; a conflict is shown with both versions. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SharedWith } from "../../client/sluice-client.ts";
import { adviceFor, TEXT } from "../messages.ts";
import { Failed } from "../results.tsx";
import { asFailure, draft, type Failure, go, hasEnded, indices, say, view } from "../state.ts";
import { differing, type Edited, type Members, readEdited, save } from "./state.ts";

const MAX_USERS = 50;
type Kind = "search" | "collection";

/** What is typed and not saved outlives a look elsewhere, and the session. */
const kept = new Map<string, Edited>();

function begun(kind: Kind): Edited {
  const common = { title: "", description: "", visibility: "me", users: [] } as const;
  const { index, columns, sort } = view.value;
  const searched = {
    query: draft.value,
    index: index || null,
    columns: columns.length > 0 ? columns : null,
    sort,
  };
  const members: Members = { ...common, users: [], ...(kind === "search" && searched) };
  return { id: "", version: 0, role: "owner", before: members, now: members, theirs: null };
}

/** What the form begins with; null where it has to be read. A new one that was begun of the same search goes on. */
function start(kind: Kind, id: string, name: string): Edited | null {
  const former = kept.get(name) ?? null;
  if (id !== "") return former;
  const fresh = begun(kind);
  return former !== null && differing(former.before, fresh.before).length === 0 ? former : fresh;
}

export function Form({ kind, id }: { kind: Kind; id: string }) {
  const name = `${kind} ${id}`;
  const edited = useSignal<Edited | null>(start(kind, id, name));
  const failure = useSignal<Failure | null>(null);
  const isBusy = useSignal(false);
  async function read(): Promise<void> {
    failure.value = null;
    try {
      edited.value = await readEdited(kind, id);
    } catch (error) {
      if (!hasEnded(error)) failure.value = asFailure(error);
    }
  }
  useEffect(() => {
    if (edited.value === null) void read();
    return () => {
      const now = edited.value;
      if (now !== null && differing(now.now, now.before).length > 0) kept.set(name, now);
      else kept.delete(name);
    };
  }, []);
  const now = edited.value;
  if (now === null) {
    return failure.value ? (
      <Failed failure={failure.value} again={read} />
    ) : (
      <p class="state quiet" role="status">
        {TEXT.loading}
      </p>
    );
  }
  const change = (members: Partial<Members>): void => {
    edited.value = { ...now, now: { ...now.now, ...members } };
  };
  async function submit(): Promise<void> {
    if (isBusy.value || edited.value === null) return;
    isBusy.value = true;
    failure.value = null;
    try {
      const after = await save(kind, settled(edited.value));
      edited.value = after;
      if (after.theirs !== null) return;
      say(TEXT.isSaved);
      close();
    } catch (error) {
      if (!hasEnded(error)) failure.value = asFailure(error);
    } finally {
      isBusy.value = false;
    }
  }
  const close = (): void => {
    if (edited.value !== null) edited.value = { ...edited.value, now: edited.value.before };
    go("saved", { id: "" });
  };
  const title = now.before.title;
  return (
    <section id="results" class="inventory saved">
      <h2 class="clip">
        {id !== "" ? TEXT.editOf(title) : kind === "search" ? TEXT.newSearch : TEXT.newCollection}
      </h2>
      <form
        class="members"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Conflict
          edited={now}
          set={(after) => {
            edited.value = after;
          }}
        />
        <label>
          {TEXT.title}
          <input
            name="title"
            required
            maxLength={200}
            value={now.now.title}
            ref={(input) => {
              if (input && document.activeElement === document.body) input.focus();
            }}
            onInput={(event) => change({ title: event.currentTarget.value })}
          />
        </label>
        <label>
          {TEXT.description}
          <textarea
            rows={2}
            maxLength={2000}
            value={now.now.description}
            onInput={(event) => change({ description: event.currentTarget.value })}
          />
        </label>
        {kind === "search" && <SearchPart now={now.now} change={change} />}
        <Sharing now={now.now} isOwner={now.role === "owner"} change={change} />
        {failure.value && (
          <p class="message bad" role="alert" data-code={failure.value.code}>
            <strong>{adviceFor(failure.value.code).title}.</strong> {failure.value.detail}
          </p>
        )}
        <p class="row">
          <button type="submit" class="primary" aria-disabled={isBusy.value}>
            {now.theirs === null || now.theirs === "gone" ? TEXT.save : TEXT.saveOver}
          </button>
          <button type="button" onClick={close}>
            {TEXT.cancel}
          </button>
        </p>
      </form>
    </section>
  );
}

/** What is saved after a conflict: over theirs, which somebody has seen now; or as a new one, where theirs is gone. */
function settled(edited: Edited): Edited {
  const { theirs, now } = edited;
  if (theirs === null) return edited;
  if (theirs === "gone")
    return { ...edited, id: "", version: 0, now: { ...now, visibility: "me", users: [] }, theirs: null };
  return { ...edited, version: theirs.version, before: theirs.members, theirs: null };
}

interface PartProps {
  now: Members;
  change: (members: Partial<Members>) => void;
}

function SearchPart({ now, change }: PartProps) {
  const list = (text: string): string[] =>
    text
      .split(",")
      .map((each) => each.trim())
      .filter(Boolean);
  return (
    <>
      <label>
        {TEXT.query}
        <textarea
          class="mono"
          rows={3}
          maxLength={65536}
          spellcheck={false}
          value={now.query}
          onInput={(event) => change({ query: event.currentTarget.value })}
        />
      </label>
      <label>
        {TEXT.index}
        <select
          value={now.index ?? ""}
          onChange={(event) => change({ index: event.currentTarget.value || null })}
        >
          <option value="">{TEXT.firstIndex}</option>
          {[...new Set([...indices(), now.index])].filter(Boolean).map((name) => (
            <option key={name} value={name ?? ""}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {TEXT.columnsList}
        <input
          key={`columns ${now.columns}`}
          defaultValue={now.columns?.join(", ") ?? ""}
          onChange={(event) => {
            const columns = list(event.currentTarget.value);
            change({ columns: columns.length > 0 ? columns : null });
          }}
        />
      </label>
      <label>
        {TEXT.sortList}
        <input
          key={`sort ${now.sort}`}
          defaultValue={now.sort?.join(", ") ?? ""}
          onChange={(event) => change({ sort: list(event.currentTarget.value) })}
        />
      </label>
    </>
  );
}

/** Who sees it, and what they may do. */
function Sharing({ now, isOwner, change }: PartProps & { isOwner: boolean }) {
  const set = (at: number, user: Partial<SharedWith>): void =>
    change({ users: now.users.map((each, place) => (place === at ? { ...each, ...user } : each)) });
  return (
    <fieldset disabled={!isOwner}>
      <legend>{TEXT.visibility}</legend>
      <div class="row">
        {(["me", "users", "everyone"] as const).map((each) => (
          <label key={each} class="row">
            <input
              type="radio"
              name="visibility"
              value={each}
              checked={now.visibility === each}
              onChange={() =>
                change({
                  visibility: each,
                  users:
                    each === "me"
                      ? []
                      : each === "users" && now.users.length === 0
                        ? [{ user: "", role: "viewer" }]
                        : now.users,
                })
              }
            />
            {TEXT.visibleTo[each]}
          </label>
        ))}
      </div>
      <p class="quiet">{isOwner ? TEXT.shareNote : TEXT.ownerShares}</p>
      {now.users.map((each, at) => (
        <div key={at} class="row">
          <input
            aria-label={TEXT.sharedUser(at + 1)}
            required
            maxLength={150}
            value={each.user}
            onInput={(event) => set(at, { user: event.currentTarget.value })}
          />
          <select
            aria-label={TEXT.sharedRole(at + 1)}
            value={each.role}
            onChange={(event) => set(at, { role: event.currentTarget.value as SharedWith["role"] })}
          >
            {(["viewer", "editor"] as const).map((role) => (
              <option key={role} value={role}>
                {TEXT.shareRole[role]}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="small"
            aria-label={TEXT.removeUser(each.user)}
            onClick={() => change({ users: now.users.filter((_, place) => place !== at) })}
          >
            −
          </button>
        </div>
      ))}
      {now.visibility !== "me" && now.users.length < MAX_USERS && (
        <button
          type="button"
          class="small"
          onClick={() => change({ users: [...now.users, { user: "", role: "viewer" }] })}
        >
          {TEXT.addUser}
        </button>
      )}
    </fieldset>
  );
}

const LABELS: Record<keyof Members, string> = {
  title: TEXT.title,
  description: TEXT.description,
  query: TEXT.query,
  index: TEXT.index,
  columns: TEXT.columns,
  sort: TEXT.sortTitle,
  visibility: TEXT.visibility,
  users: TEXT.users,
};

/** It stands above the form, whose button is below it. */
const comeIntoView = (element: HTMLElement | null): void => element?.scrollIntoView({ block: "nearest" });

/** Two people have changed one: what differs, theirs beside one's own. */
function Conflict({ edited, set }: { edited: Edited; set: (after: Edited) => void }) {
  const { theirs, now } = edited;
  if (theirs === null) return null;
  if (theirs === "gone") {
    return (
      <p class="message hint" role="alert" ref={comeIntoView}>
        {TEXT.savedGone}
      </p>
    );
  }
  const names = differing(theirs.members, now);
  return (
    <div class="message hint" role="alert" ref={comeIntoView}>
      <p>
        <strong>{adviceFor("precondition_failed").title}.</strong> {TEXT.savedConflict}
      </p>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">{TEXT.member}</th>
            <th scope="col">{TEXT.theirs}</th>
            <th scope="col">{TEXT.mine}</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row">{LABELS[name]}</th>
              <td>
                <span class="written">{written(theirs.members[name])}</span>{" "}
                <button
                  type="button"
                  class="small"
                  aria-label={TEXT.takeTheirsOf(LABELS[name])}
                  onClick={() => set({ ...edited, now: { ...now, [name]: theirs.members[name] } })}
                >
                  {TEXT.takeTheirs}
                </button>
              </td>
              <td>
                <span class="written">{written(now[name])}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <button
        type="button"
        class="small"
        onClick={() =>
          set({
            ...edited,
            version: theirs.version,
            before: theirs.members,
            now: theirs.members,
            theirs: null,
          })
        }
      >
        {TEXT.takeAllTheirs}
      </button>
    </div>
  );
}

/** A member's value as a text. */
function written(value: Members[keyof Members]): string {
  if (value === null || value === undefined || value === "") return TEXT.none;
  if (typeof value === "string") return value;
  const parts = value.map((each) =>
    typeof each === "string" ? each : `${each.user} ${TEXT.shareRole[each.role]}`,
  );
  return parts.join(", ") || TEXT.none;
}
