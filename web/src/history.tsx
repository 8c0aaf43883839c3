/** One's own searches, as the audit trail has them. */
import { useEffect } from "preact/hooks";
import { localTime, utcTime, zone } from "./cells.ts";
import { adviceFor, TEXT } from "./messages.ts";
import { Failed } from "./results.tsx";
import { past, readHistory, repeat } from "./state.ts";

export function History() {
  useEffect(() => void readHistory(), []);
  const { events, next, phase, failure } = past.value;
  if (failure && events.length === 0) return <Failed failure={failure} again={readHistory} />;
  if (events.length === 0) {
    return (
      <section class="state" id="results">
        <h2>{phase === "busy" ? TEXT.loading : TEXT.historyEmpty}</h2>
        {phase === "read" && <p class="quiet">{TEXT.historyEmptyNext}</p>}
      </section>
    );
  }
  return (
    <section id="results" class="history">
      <h2>{TEXT.historyTitle}</h2>
      <p class="quiet">
        {TEXT.historyNext} {TEXT.times(zone())}
      </p>
      <ul>
        {events.map((event) => (
          <li key={event.id}>
            <time dateTime={event.at} title={utcTime(event.at)} class="quiet">
              {localTime(event.at)}
            </time>
            <button type="button" class="bare past" title={TEXT.runAgain} onClick={() => repeat(event)}>
              <code>{event.query || TEXT.everything}</code>
            </button>
            <span class="quiet">
              {event.index} ·{" "}
              {event.code
                ? adviceFor(event.code).title
                : event.hits === null
                  ? event.status
                  : TEXT.received(event.hits, "eq")}
            </span>
          </li>
        ))}
      </ul>
      {failure && (
        <p class="problem-line" role="alert">
          {adviceFor(failure.code).title}
        </p>
      )}
      {next !== null && (
        <button type="button" disabled={phase === "busy"} onClick={() => readHistory(next)}>
          {TEXT.more}
        </button>
      )}
    </section>
  );
}
