/** Saved searches: the list, the collections, and the form of one. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Collection, SearchSummary } from "../../client/sluice-client.ts";
import { localTime } from "../cells.ts";
import { Confirm } from "../confirm.tsx";
import { adviceFor, TEXT } from "../messages.ts";
import { Failed } from "../results.tsx";
import { go, me, NEW, view } from "../state.ts";
import { Form } from "./form.tsx";
import {
  collections,
  endWatch,
  failure,
  hasMore,
  maySearch,
  ORPHANED,
  open,
  putInto,
  read,
  removeCollection,
  removeSearch,
  searches,
  takeOut,
  watch,
} from "./state.ts";

/** In the fragment's id: what is edited is a collection. */
const COLLECTION = "collection:";

export default function Saved() {
  const { type, id } = view.value;
  const isOrphaned = type === ORPHANED;
  useEffect(() => {
    if (id === "") void read(isOrphaned);
  }, [id, type]);
  if (id.startsWith(COLLECTION)) {
    const own = id.slice(COLLECTION.length);
    return <Form key={id} kind="collection" id={own === NEW ? "" : own} />;
  }
  if (id !== "") return <Form key={id} kind="search" id={id === NEW ? "" : id} />;
  if (searches.value === null) {
    return failure.value ? (
      <Failed failure={failure.value} again={() => read(isOrphaned)} />
    ) : (
      <p class="state quiet" role="status">
        {TEXT.loading}
      </p>
    );
  }
  return <List isOrphaned={isOrphaned} />;
}

function List({ isOrphaned }: { isOrphaned: boolean }) {
  const chosen = collections.value.find((each) => each.id === view.value.type) ?? null;
  const known = new Map((searches.value ?? []).map((each) => [each.id, each]));
  const listed = chosen
    ? chosen.searches.flatMap((id) => known.get(id) ?? [])
    : [...known.values()].sort((one, other) => one.title.localeCompare(other.title));
  const hidden = chosen ? chosen.searches.length - listed.length : 0;
  return (
    <section id="results" class="inventory saved">
      <h2>{TEXT.savedTitle}</h2>
      <div class="row">
        <select
          aria-label={TEXT.collection}
          value={isOrphaned && chosen === null ? ORPHANED : (chosen?.id ?? "")}
          onChange={(event) => go("saved", { type: event.currentTarget.value, id: "" })}
        >
          <option value="">{TEXT.allSearches}</option>
          {collections.value.map((each) => (
            <option key={each.id} value={each.id}>
              {each.title}
            </option>
          ))}
          {me.value?.role === "admin" && <option value={ORPHANED}>{TEXT.orphaned}</option>}
        </select>
        {chosen && <CollectionTools collection={chosen} isOrphaned={isOrphaned} />}
        <span class="space" />
        <button type="button" onClick={() => go("saved", { id: COLLECTION + NEW })}>
          {TEXT.newCollection}
        </button>
      </div>
      {isOrphaned && <p class="quiet">{TEXT.orphanedNext}</p>}
      {chosen?.description && <p class="quiet">{chosen.description}</p>}
      {failure.value && (
        <p class="message bad" role="alert" data-code={failure.value.code}>
          <strong>{adviceFor(failure.value.code).title}.</strong> {failure.value.detail}
        </p>
      )}
      {isOrphaned && (
        <ul class="documents">
          {collections.value.map((each) => (
            <li key={each.id} class="row">
              <span>
                {TEXT.collection} {each.title}
              </span>
              <CollectionTools collection={each} isOrphaned />
            </li>
          ))}
        </ul>
      )}
      {listed.length === 0 && hidden === 0 ? (
        <div class="state">
          <h3>{TEXT.noSaved}</h3>
          <p class="quiet">{chosen ? TEXT.emptyCollection : TEXT.noSavedNext}</p>
        </div>
      ) : (
        <ul class="kept">
          {listed.map((each, at) => (
            <Item
              key={each.id}
              search={each}
              isOrphaned={isOrphaned}
              place={
                chosen && {
                  collection: chosen,
                  before: listed[at - 1],
                  after: listed[at + 2],
                  isLast: at + 1 === listed.length,
                }
              }
            />
          ))}
        </ul>
      )}
      {hasMore.value && <p class="quiet">{TEXT.moreShared}</p>}
      {hidden > 0 && <p class="quiet">{TEXT.hiddenSearches(hidden)}</p>}
    </section>
  );
}

function CollectionTools({ collection, isOrphaned }: { collection: Collection; isOrphaned: boolean }) {
  return (
    <>
      <span class="quiet">
        {TEXT.byOwner(collection.owner)} · {TEXT.visibleTo[collection.visibility]}
      </span>
      <ChangeTools
        saved={collection}
        page={COLLECTION + collection.id}
        remove={() => void removeCollection(collection, isOrphaned)}
      />
    </>
  );
}

interface ChangeProps {
  saved: Pick<Collection, "title" | "role">;
  /** The id of the page that changes it. */
  page: string;
  remove: () => void;
}

/** To change what one may change, and to delete what one has. */
function ChangeTools({ saved: { title, role }, page, remove }: ChangeProps) {
  const isAsking = useSignal(false);
  return (
    <>
      {role !== "viewer" && (
        <button
          type="button"
          class="small"
          aria-label={TEXT.editOf(title)}
          onClick={() => go("saved", { id: page })}
        >
          {TEXT.edit}
        </button>
      )}
      {role === "owner" && (
        <button
          type="button"
          class="small"
          aria-label={TEXT.deleteOf(title)}
          onClick={() => {
            isAsking.value = true;
          }}
        >
          {TEXT.delete}
        </button>
      )}
      {isAsking.value && (
        <Confirm
          question={TEXT.deleteSavedQuestion(title)}
          close={(isSure) => {
            isAsking.value = false;
            if (isSure) remove();
          }}
        />
      )}
    </>
  );
}

interface Place {
  collection: Collection;
  /** The search before it, and the one behind the next. */
  before: SearchSummary | undefined;
  after: SearchSummary | undefined;
  isLast: boolean;
}

function Item({
  search,
  place,
  isOrphaned,
}: {
  search: SearchSummary;
  place: Place | null;
  isOrphaned: boolean;
}) {
  const { title } = search;
  return (
    <li>
      <div class="row">
        <button
          type="button"
          class="bare past title"
          aria-label={TEXT.openOf(title)}
          onClick={() => open(search.id)}
        >
          <bdi>{title}</bdi>
        </button>
        <span class="quiet">
          {[search.index, TEXT.byOwner(search.owner), TEXT.visibleTo[search.visibility]]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </div>
      {search.description && <p class="quiet">{search.description}</p>}
      {!maySearch(search) && <p class="message hint">{TEXT.mayNotSearch(search.index ?? "")}</p>}
      <div class="row" role="group" aria-label={TEXT.moreOf(title)}>
        {!isOrphaned && <WatchTools search={search} />}
        {place ? <PlaceTools search={search} place={place} /> : !isOrphaned && <PutInto search={search} />}
        <span class="space" />
        <ChangeTools saved={search} page={search.id} remove={() => void removeSearch(search, isOrphaned)} />
      </div>
      {search.watch?.problem && <p class="message bad">{search.watch.problem}</p>}
    </li>
  );
}

/** How often the search is looked at for its reader, if at all. */
function WatchTools({ search }: { search: SearchSummary }) {
  const interval = search.watch?.interval ?? 0;
  const isUsual = interval === 0 || String(interval) in TEXT.intervals;
  return (
    <label class="row">
      <span>{TEXT.watchIt}</span>
      <select
        aria-label={TEXT.watchOf(search.title)}
        value={interval}
        onChange={(event) => {
          const wanted = Number(event.currentTarget.value);
          if (wanted === 0) void endWatch(search);
          else void watch(search, wanted);
        }}
      >
        <option value={0}>{TEXT.notWatched}</option>
        {Object.entries(TEXT.intervals).map(([seconds, text]) => (
          <option key={seconds} value={seconds}>
            {text}
          </option>
        ))}
        {!isUsual && <option value={interval}>{TEXT.everySeconds(interval)}</option>}
      </select>
      {search.watch?.looked_at && (
        <span class="quiet">{TEXT.lookedAt(localTime(search.watch.looked_at))}</span>
      )}
    </label>
  );
}

function PutInto({ search }: { search: SearchSummary }) {
  const open = collections.value.filter(
    (each) => each.role !== "viewer" && !each.searches.includes(search.id),
  );
  if (open.length === 0) return null;
  return (
    <select
      aria-label={TEXT.putInto(search.title)}
      value=""
      onChange={(event) => {
        const collection = open.find((each) => each.id === event.currentTarget.value);
        if (collection) void putInto(collection.id, search.id, null);
      }}
    >
      <option value="">{TEXT.putIntoShort}</option>
      {open.map((each) => (
        <option key={each.id} value={each.id}>
          {each.title}
        </option>
      ))}
    </select>
  );
}

function PlaceTools({ search, place }: { search: SearchSummary; place: Place }) {
  const { collection, before, after, isLast } = place;
  if (collection.role === "viewer") return null;
  return (
    <>
      <button
        type="button"
        class="small"
        aria-label={TEXT.up(search.title)}
        disabled={before === undefined}
        onClick={() => putInto(collection.id, search.id, before?.id ?? null)}
      >
        ↑
      </button>
      <button
        type="button"
        class="small"
        aria-label={TEXT.down(search.title)}
        disabled={isLast}
        onClick={() => putInto(collection.id, search.id, after?.id ?? null)}
      >
        ↓
      </button>
      <button
        type="button"
        class="small"
        aria-label={TEXT.takeOut(search.title)}
        onClick={() => takeOut(collection.id, search.id)}
      >
        −
      </button>
    </>
  );
}
