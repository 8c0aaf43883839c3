/** What became of a search: count and receipt, the grid, one document, and every state in which there is none. */
import { signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Document, Json } from "../client/sluice-client.ts";
import { writeJson } from "../client/sluice-client.ts";
import { cellText, exactText, valuesAt, zone } from "./cells.ts";
import { Grid, PlainTable } from "./grid.tsx";
import { writeField } from "./language.ts";
import { adviceFor, TEXT } from "./messages.ts";
import { editor } from "./query.tsx";
import {
  columns,
  copy,
  downloadAddress,
  type Failure,
  type Found,
  failure,
  fields,
  fieldsFailure,
  found,
  indices,
  loadFields,
  open,
  opened,
  readTypes,
  result,
  retryReadingOn,
  run,
  say,
  show,
  types,
  view,
} from "./state.ts";

export const isPlain = signal(false);

export function Results() {
  const now = result.value;
  const shown = found.value;
  if (now.phase === "start") return <Start />;
  // An error of the query stands at the query; the results of the one before stay readable below it.
  if (now.phase === "failed") {
    return now.failure.position !== null && failure.value !== null ? (
      <Start />
    ) : (
      <Failed failure={now.failure} again={run} />
    );
  }
  if (shown === null) return <Loading isSlow={now.phase === "loading" && now.isSlow} />;
  return (
    <section id="results" class="results" aria-label={TEXT.results} data-phase={now.phase}>
      <Bar found={shown} isLoading={now.phase === "loading"} />
      {now.phase === "loading" && <div class="progress" role="progressbar" aria-label={TEXT.running} />}
      {now.phase === "loading" && now.isSlow && <p class="message hint">{TEXT.slow}</p>}
      {shown.count === 0 ? <Empty /> : <Rows found={shown} />}
    </section>
  );
}

function Rows({ found: shown }: { found: Found }) {
  const row = opened.value;
  const document = row === null ? undefined : shown.rows[row];
  return (
    <div class={document ? "split" : "whole"}>
      <div class="rows">
        {isPlain.value ? <PlainTable found={shown} /> : <Grid found={shown} />}
        <Foot found={shown} />
      </div>
      {document && row !== null && <Detail document={document} row={row} />}
    </div>
  );
}

function Foot({ found: shown }: { found: Found }) {
  if (shown.failure) {
    return (
      <div class="foot message bad" role="alert">
        <p>
          <strong>{adviceFor(shown.failure.code).title}.</strong> {adviceFor(shown.failure.code).next}
        </p>
        {shown.failure.code === "cursor_expired" ? (
          <button type="button" class="small" onClick={() => run()}>
            {TEXT.runAgain}
          </button>
        ) : (
          <button type="button" class="small" onClick={retryReadingOn}>
            {TEXT.tryAgain}
          </button>
        )}
      </div>
    );
  }
  return (
    <p class="foot quiet">
      {shown.reading === "busy"
        ? TEXT.readingOn
        : shown.next === null
          ? TEXT.allRead(shown.rows.length)
          : TEXT.shown(shown.rows.length, shown.count)}
      <span>{TEXT.times(zone())}</span>
    </p>
  );
}

function Bar({ found: shown, isLoading }: { found: Found; isLoading: boolean }) {
  const isChoosing = useSignal(false);
  const chooser = useRef<HTMLButtonElement>(null);
  async function download(form: "csv" | "ndjson"): Promise<void> {
    const address = await downloadAddress(form);
    if (address === null) return;
    const link = document.createElement("a");
    link.href = address;
    link.download = `sluice-${shown.queryId}.${form}`;
    link.click();
    say(TEXT.downloadStarted);
  }
  return (
    <div class="bar">
      <p class="count" aria-live="polite" aria-atomic="true">
        <strong>{isLoading ? TEXT.running : TEXT.received(shown.count, shown.relation)}</strong>
        {!isLoading && <span class="quiet"> {TEXT.took(shown.took)}</span>}
      </p>
      <button type="button" class="receipt" title={TEXT.receiptTitle} onClick={() => copy(shown.queryId)}>
        {TEXT.receipt}{" "}
        <code>
          {shown.queryId.slice(0, 8)}…{shown.queryId.slice(-6)}
        </code>
      </button>
      <span class="space" />
      <div class="tools">
        <button
          ref={chooser}
          type="button"
          aria-expanded={isChoosing.value}
          onClick={() => {
            isChoosing.value = !isChoosing.value;
          }}
        >
          {TEXT.columns}
        </button>
        <button
          type="button"
          aria-pressed={isPlain.value}
          onClick={() => {
            isPlain.value = !isPlain.value;
          }}
        >
          {TEXT.plainTable}
        </button>
        <button type="button" title={TEXT.downloadTitle} onClick={() => download("csv")}>
          {TEXT.download} CSV
        </button>
        <button type="button" title={TEXT.downloadTitle} onClick={() => download("ndjson")}>
          NDJSON
        </button>
        <button type="button" onClick={() => copy(location.href, TEXT.linkCopied)}>
          {TEXT.copyLink}
        </button>
      </div>
      {isChoosing.value && (
        <Columns
          close={() => {
            isChoosing.value = false;
            chooser.current?.focus();
          }}
        />
      )}
    </div>
  );
}

const STEP = 40;

/** Which columns, in which order, how wide. */
function Columns({ close }: { close: () => void }) {
  const wanted = useSignal("");
  const first = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => first.current?.focus(), []);
  const chosen = columns.value;
  const rest = fields.value.filter(
    (field) =>
      !field.problem &&
      !chosen.includes(field.name) &&
      field.name.toLowerCase().includes(wanted.value.toLowerCase()),
  );
  function change(names: string[]): void {
    const widths = new Map(view.value.columns.map((name, at) => [name, view.value.widths[at] ?? 0]));
    show({ columns: names, widths: names.map((name) => widths.get(name) ?? 0) });
  }
  function move(at: number, by: number): void {
    const names = [...chosen];
    const [name] = names.splice(at, 1);
    names.splice(at + by, 0, name as string);
    change(names);
  }
  function widen(at: number, width: number): void {
    show({
      columns: chosen,
      widths: chosen.map((_, each) => (each === at ? width : (view.value.widths[each] ?? 0))),
    });
  }
  return (
    <div
      class="columns"
      role="group"
      aria-label={TEXT.columns}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <ol>
        {chosen.map((name, at) => (
          <li key={name}>
            <label class="check">
              <input
                type="checkbox"
                checked
                disabled={chosen.length === 1}
                onChange={() => change(chosen.filter((each) => each !== name))}
              />
              <span class="clip">{name}</span>
            </label>
            <input
              type="range"
              min={STEP}
              max={640}
              step={STEP}
              value={view.value.widths[at] || 160}
              aria-label={TEXT.widthOf(name)}
              onInput={(event) => widen(at, Number(event.currentTarget.value))}
            />
            <button
              type="button"
              class="icon"
              aria-label={TEXT.moveLeft(name)}
              disabled={at === 0}
              onClick={() => move(at, -1)}
            >
              ↑
            </button>
            <button
              type="button"
              class="icon"
              aria-label={TEXT.moveRight(name)}
              disabled={at === chosen.length - 1}
              onClick={() => move(at, 1)}
            >
              ↓
            </button>
          </li>
        ))}
      </ol>
      <div>
        <input
          ref={first}
          type="search"
          placeholder={TEXT.columnsFilter}
          aria-label={TEXT.columnsFilter}
          value={wanted.value}
          onInput={(event) => {
            wanted.value = event.currentTarget.value;
          }}
        />
        <ul>
          {rest.slice(0, 60).map((field) => (
            <li key={field.name}>
              <label class="check">
                <input type="checkbox" checked={false} onChange={() => change([...chosen, field.name])} />
                <span class="clip">{field.name}</span>
              </label>
              <span class="quiet">{field.type}</span>
            </li>
          ))}
        </ul>
      </div>
      <p class="row">
        <button type="button" class="small primary" onClick={close}>
          {TEXT.apply}
        </button>
        <button type="button" class="small" onClick={() => show({ columns: [], widths: [] })}>
          {TEXT.resetColumns}
        </button>
      </p>
    </div>
  );
}

function Detail({ document: shown, row }: { document: Document; row: number }) {
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => panel.current?.focus(), [row]);
  const names = fields.value.filter(
    (field) => !field.problem && field.type !== "object" && valuesAt(shown, field.name).length > 0,
  );
  const text = writeJson(shown as Json, 2);
  useEffect(() => {
    if (types.value === null) void readTypes();
  }, []);
  const index = found.value?.index;
  const id = found.value?.ids[row];
  const type = types.value?.find((each) => each.index === index);
  function close(): void {
    opened.value = null;
    document.querySelector<HTMLElement>(`[data-row="${row}"] [data-column="0"]`)?.focus();
  }
  return (
    <aside
      class="detail"
      ref={panel}
      tabIndex={-1}
      aria-label={TEXT.details(row + 1)}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <header class="row">
        <h2>{TEXT.details(row + 1)}</h2>
        <span class="space" />
        {type && id && (
          <button type="button" class="small" onClick={() => open(type.name, id)}>
            {TEXT.inInventory}
          </button>
        )}
        <button type="button" class="small" onClick={() => copy(text)}>
          {TEXT.copy} JSON
        </button>
        <button type="button" class="small" onClick={close}>
          {TEXT.close}
        </button>
      </header>
      <dl>
        {names
          .filter((field) => !field.alias_of)
          .map((field) => {
            const values = valuesAt(shown, field.name);
            return (
              <div key={field.name}>
                <dt>{field.name}</dt>
                <dd title={exactText(values, field.type)}>{cellText(values, field.type)}</dd>
              </div>
            );
          })}
      </dl>
      <details>
        <summary>JSON</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1) */}
        <pre tabIndex={0}>{text}</pre>
      </details>
    </aside>
  );
}

function Start() {
  const shown = fields.value.filter(
    (field) => !field.problem && !field.alias_of && field.operators.length > 0,
  );
  if (fieldsFailure.value) return <Failed failure={fieldsFailure.value} again={loadFields} />;
  if (indices().length === 0 && view.value.index === "" && shown.length === 0) {
    return (
      <section class="state" id="results">
        <h2>{TEXT.noIndices}</h2>
      </section>
    );
  }
  return (
    <section class="start" id="results">
      <h2>{TEXT.start}</h2>
      <p class="quiet">{TEXT.startNext}</p>
      <ul class="fields" aria-label={TEXT.fieldsOf(view.value.index)}>
        {shown.slice(0, 60).map((field) => (
          <li key={field.name}>
            <button
              type="button"
              onClick={() =>
                editor.current?.insert(`${writeField(field.name)}${field.type === "nested" ? ":{ " : " "}`)
              }
            >
              <span class="clip">{field.name}</span>
              <span class="quiet">{field.type}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Loading({ isSlow }: { isSlow: boolean }) {
  return (
    <section class="state" id="results" aria-busy="true">
      <div class="progress" role="progressbar" aria-label={TEXT.running} />
      <p class="quiet" role="status">
        {isSlow ? TEXT.slow : TEXT.running}
      </p>
    </section>
  );
}

function Empty() {
  return (
    <div class="state">
      <h2>{TEXT.nothing}</h2>
      <p class="quiet">{TEXT.nothingNext}</p>
    </div>
  );
}

export function Failed({ failure: failed, again }: { failure: Failure; again: () => unknown }) {
  const { title, next } = adviceFor(failed.code);
  return (
    <section class="state" id="results" role="alert" data-code={failed.code}>
      <h2>{title}</h2>
      <p>{next}</p>
      {failed.detail && <p class="quiet">{failed.detail}</p>}
      <p class="row center">
        <button type="button" class="primary" onClick={() => again()}>
          {TEXT.tryAgain}
        </button>
      </p>
      {failed.queryId && (
        <p class="quiet">
          {TEXT.receipt} <code>{failed.queryId}</code>
        </p>
      )}
    </section>
  );
}
