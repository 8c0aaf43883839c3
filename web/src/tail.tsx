/** The audit trail as it is written, for auditors, with an account of what is not shown. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { LiveState, Tail, TailAccount, TailEvent, TailFilter } from "../client/sluice-client.ts";
import { localTime, utcTime, zone } from "./cells.ts";
import { adviceFor, TEXT } from "./messages.ts";
import { client } from "./state.ts";

/** Rows that are kept: more than anybody reads as they pass. */
const ROWS = 200;
const NOTHING: TailAccount = { shown: 0, filtered: 0, leftOut: 0, produced: 0 };
const TYPES = [
  "query.executed",
  "query.rejected",
  "query.denied",
  "query.failed",
  "query.throttled",
  "auth.succeeded",
  "auth.failed",
  "auth.throttled",
  "admin.changed",
  "inventory.read",
  "inventory.changed",
  "inventory.denied",
  "saved.changed",
];

export default function LiveTail() {
  const tail = useRef<Tail | null>(null);
  const state = useSignal<LiveState>("connecting");
  const reason = useSignal<string | null>(null);
  const isPaused = useSignal(false);
  const account = useSignal(NOTHING);
  const events = useSignal<TailEvent[]>([]);

  const begin = (filter: TailFilter): void => {
    tail.current?.close();
    const opened = client.tail(filter);
    tail.current = opened;
    state.value = "connecting";
    reason.value = null;
    isPaused.value = false;
    const current = (act: (detail: unknown) => void) => (event: Event) => {
      if (tail.current === opened) act((event as CustomEvent<unknown>).detail);
    };
    opened.addEventListener(
      "state",
      current((now) => {
        state.value = now as LiveState;
        reason.value = opened.reason;
      }),
    );
    opened.addEventListener(
      "events",
      current((more) => {
        events.value = [...(more as TailEvent[]).reverse(), ...events.value].slice(0, ROWS);
      }),
    );
    opened.addEventListener(
      "account",
      current((now) => {
        account.value = now as TailAccount;
      }),
    );
  };
  useEffect(() => {
    begin({});
    const online = (): void => tail.current?.retry();
    addEventListener("online", online);
    return () => {
      removeEventListener("online", online);
      tail.current?.close();
      tail.current = null;
    };
  }, []);

  const show = (filter: TailFilter): void => {
    events.value = [];
    account.value = NOTHING;
    if (state.value === "open") tail.current?.show(filter);
    else begin(filter);
    isPaused.value = false;
  };
  const pause = (): void => {
    if (isPaused.value) tail.current?.resume();
    else tail.current?.pause();
    isPaused.value = !isPaused.value;
  };

  const { shown, filtered, leftOut, produced } = account.value;
  return (
    <section id="results" class="tail">
      <div class="row">
        <h2>{TEXT.tailTitle}</h2>
        <span class={`pill ${isPaused.value ? "waiting" : state.value}`} role="status">
          {isPaused.value ? TEXT.paused : TEXT.liveStates[state.value]}
        </span>
        <span class="space" />
        <button type="button" aria-pressed={isPaused.value} disabled={state.value !== "open"} onClick={pause}>
          {isPaused.value ? TEXT.resume : TEXT.pause}
        </button>
      </div>
      <Filter show={show} />
      {state.value === "ended" && (
        <div class="message bad" role="alert">
          <p>
            <strong>{adviceFor(reason.value ?? "internal").title}.</strong>{" "}
            {adviceFor(reason.value ?? "internal").next}
          </p>
        </div>
      )}
      <p class="account">
        <span class="sr">{TEXT.account}: </span>
        <b>{shown.toLocaleString("en")}</b> {TEXT.tailShown} + <b>{filtered.toLocaleString("en")}</b>{" "}
        {TEXT.tailFiltered} + <b>{leftOut.toLocaleString("en")}</b> {TEXT.tailLeftOut} ={" "}
        <b>{produced.toLocaleString("en")}</b> {TEXT.tailProduced}
        <span class="quiet"> · {TEXT.times(zone())}</span>
      </p>
      <Events events={events.value} />
    </section>
  );
}

function Filter({ show }: { show: (filter: TailFilter) => void }) {
  const submit = (event: Event): void => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const filter: TailFilter = {};
    for (const name of ["user", "event_type", "text"] as const) {
      const value = String(given.get(name) ?? "").trim();
      if (value !== "") filter[name] = value;
    }
    show(filter);
  };
  return (
    <form class="row" aria-label={TEXT.tailFilter} onSubmit={submit}>
      <label>
        <span>{TEXT.user}</span>
        <input name="user" maxLength={200} autocomplete="off" spellcheck={false} />
      </label>
      <label>
        <span>{TEXT.eventType}</span>
        <select name="event_type">
          <option value="">{TEXT.everyType}</option>
          {TYPES.map((type) => (
            <option key={type}>{type}</option>
          ))}
        </select>
      </label>
      <label>
        <span>{TEXT.inTheQuery}</span>
        <input name="text" maxLength={200} autocomplete="off" spellcheck={false} />
      </label>
      <button type="submit">{TEXT.show}</button>
    </form>
  );
}

function Events({ events }: { events: TailEvent[] }) {
  if (events.length === 0) return <p class="quiet">{TEXT.tailEmpty}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1)
    <div class="wide" tabIndex={0} role="region" aria-label={TEXT.tailTitle}>
      <table class="plain">
        <thead>
          <tr>
            {TEXT.tailHeads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={`${event.partition} ${event.offset}`}>
              <td>
                {event.at && (
                  <time dateTime={event.at} title={utcTime(event.at)}>
                    {localTime(event.at)}
                  </time>
                )}
              </td>
              <td>{event.user}</td>
              <td>{event.type ?? TEXT.invalidEvent(event.invalid ?? "")}</td>
              <td class="what">
                <code>{what(event)}</code>
              </td>
              <td>{event.index}</td>
              <td class="count">{event.hits?.toLocaleString("en")}</td>
              <td class={(event.status ?? 0) >= 400 ? "count failed" : "count"} title={event.error?.message}>
                {event.status}
                {event.error && ` ${event.error.code}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function what(event: TailEvent): string {
  if (event.query) return event.query;
  if (event.target) return [event.target.type, event.target.id].filter(Boolean).join(" ");
  return event.type === "query.executed" ? TEXT.everything : "";
}
