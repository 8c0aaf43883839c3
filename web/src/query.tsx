/** The query box with what is said of its text. */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { writeJson } from "../client/sluice-client.ts";
import { type Editor, makeEditor } from "./editor.ts";
import { adviceFor, TEXT } from "./messages.ts";
import {
  cancel,
  check,
  chooseIndex,
  client,
  copy,
  draft,
  draftFailure,
  draftNotices,
  dsl,
  failure,
  fields,
  format,
  go,
  indices,
  isDslOpen,
  NEW,
  notices,
  replace,
  result,
  run,
  showDsl,
  view,
} from "./state.ts";

const CHECK_AFTER_MS = 350;
export const editor: { current: Editor | null } = { current: null };

/** Take the first suggestion; whether there was one. */
function fix(): boolean {
  const wrong = failure.value;
  if (wrong !== null && wrong.position !== null && wrong.suggestions[0] !== undefined) {
    replace(wrong.position, wrong.end ?? wrong.position, wrong.suggestions[0]);
    return true;
  }
  const notice = notices.value.find((each) => each.suggestion !== null);
  if (wrong === null && notice !== undefined) {
    replace(notice.position, notice.end, notice.suggestion as string);
    return true;
  }
  return false;
}

function useEditor() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let stop: AbortController | null = null;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const made = makeEditor(place.current as HTMLDivElement, draft.value, {
      run: () => void run(),
      fix,
      fields: () => fields.value,
      changed: (text) => {
        draft.value = text;
      },
      complete: (text, cursor, signal) =>
        client.complete(text, cursor, view.value.index || undefined, signal),
    });
    editor.current = made;
    const ends = [
      effect(() => {
        const text = draft.value;
        made.set(text);
        clearTimeout(waiting);
        stop?.abort();
        draftFailure.value = null;
        draftNotices.value = [];
        if (text.trim() === "") return;
        waiting = setTimeout(() => {
          stop = new AbortController();
          void check(text, stop.signal);
        }, CHECK_AFTER_MS);
      }),
      effect(() => {
        const wrong = failure.value;
        made.mark(
          wrong === null || wrong.position === null
            ? null
            : { from: wrong.position, to: wrong.end ?? wrong.position },
        );
      }),
    ];
    made.focus();
    return () => {
      clearTimeout(waiting);
      for (const end of ends) end();
      made.destroy();
      editor.current = null;
    };
  }, []);
  return place;
}

export function QueryBox() {
  const place = useEditor();
  const isRunning = result.value.phase === "loading";
  return (
    <section class="query" aria-label={TEXT.query}>
      <div class="query-row">
        <label class="index">
          <span class="sr">{TEXT.index}</span>
          <select value={view.value.index} onChange={(event) => chooseIndex(event.currentTarget.value)}>
            {[...new Set([...indices(), view.value.index])].filter(Boolean).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <div class="box" ref={place} />
        {isRunning && result.value.phase === "loading" && result.value.isSlow ? (
          <button type="button" class="primary" onClick={cancel}>
            {TEXT.cancel}
          </button>
        ) : (
          <button type="button" class="primary" onClick={() => run()} aria-disabled={isRunning}>
            {TEXT.run}
          </button>
        )}
        <div class="tools">
          <button
            type="button"
            title={TEXT.formatTitle}
            onClick={() => format()}
            disabled={draft.value.trim() === ""}
          >
            {TEXT.format}
          </button>
          <button
            type="button"
            title={TEXT.saveSearchTitle}
            onClick={() => go("saved", { type: "", id: NEW })}
          >
            {TEXT.saveSearch}
          </button>
          <button
            type="button"
            title={TEXT.dslTitle}
            aria-expanded={isDslOpen.value}
            onClick={() => {
              if (isDslOpen.value) isDslOpen.value = false;
              else void showDsl();
            }}
          >
            {TEXT.showDsl}
          </button>
        </div>
      </div>
      <Caret />
      <Notices />
      {isDslOpen.value && <Dsl />}
    </section>
  );
}

/** What is wrong in the text, where, and what to write instead. */
function Caret() {
  const wrong = failure.value;
  const isPlaced = wrong !== null && wrong.position !== null;
  return (
    <div class="caret" role="alert">
      {isPlaced && (
        <div class="message bad">
          <p>
            <strong>{adviceFor(wrong.code).title}.</strong> {wrong.detail}
          </p>
          {wrong.suggestions.length > 0 && (
            <p class="row">
              {wrong.suggestions.map((text, at) => (
                <button
                  key={text}
                  type="button"
                  class="small"
                  onClick={() => {
                    replace(wrong.position as number, wrong.end ?? (wrong.position as number), text);
                    editor.current?.focus();
                  }}
                >
                  {TEXT.useInstead(text)}
                  {at === 0 && <kbd>{TEXT.fixKey}</kbd>}
                </button>
              ))}
            </p>
          )}
        </div>
      )}
    </div>
  );
}

function Notices() {
  if (notices.value.length === 0) return null;
  return (
    <ul class="notices" aria-label={TEXT.notices}>
      {notices.value.map((notice) => (
        <li key={`${notice.code}-${notice.position}`} class="message hint">
          <p>
            <code>{draft.value.slice(notice.position, notice.end)}</code> {notice.message}
          </p>
          {notice.suggestion !== null && (
            <button
              type="button"
              class="small"
              onClick={() => replace(notice.position, notice.end, notice.suggestion as string)}
            >
              {TEXT.useInstead(notice.suggestion)}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Dsl() {
  const text = dsl.value === null ? "" : writeJson(dsl.value.text, 2);
  return (
    <div class="dsl">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1) */}
      <pre tabIndex={0}>{text || TEXT.loading}</pre>
      <button type="button" class="small" onClick={() => copy(text)}>
        {TEXT.copy}
      </button>
    </div>
  );
}
