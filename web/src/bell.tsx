/** The bell: how many notifications are unread, and the list of the newest. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { localTime, utcTime } from "./cells.ts";
import { follow, inbox, isInboxOpen, markAllRead, readInbox, toggleInbox, unread } from "./inbox.ts";
import { adviceFor, notified, TEXT } from "./messages.ts";

export function Bell() {
  const button = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    isInboxOpen.value = false;
    button.current?.focus();
  };
  return (
    <div class="bell">
      <button
        ref={button}
        type="button"
        class="small"
        aria-expanded={isInboxOpen.value}
        aria-controls="inbox"
        aria-label={TEXT.inboxLabel(unread.value)}
        onClick={toggleInbox}
      >
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path
            d="M8 1.5a4.2 4.2 0 0 0-4.2 4.2v2.6L2.5 11h11l-1.3-2.7V5.7A4.2 4.2 0 0 0 8 1.5ZM6.4 12.5a1.7 1.7 0 0 0 3.2 0"
            fill="none"
            stroke="currentColor"
            stroke-width="1.4"
            stroke-linejoin="round"
            stroke-linecap="round"
          />
        </svg>
        {unread.value > 0 && <span class="number">{unread.value > 99 ? "99+" : unread.value}</span>}
      </button>
      {isInboxOpen.value && <Inbox close={close} />}
    </div>
  );
}

function Inbox({ close }: { close: () => void }) {
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    panel.current?.focus();
    const outside = (event: Event): void => {
      if (!panel.current?.parentElement?.contains(event.target as Node)) isInboxOpen.value = false;
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, []);
  const mark = (): void => {
    void markAllRead();
    // The button has nothing to do then, and would take the keys with it.
    panel.current?.focus();
  };
  const { items, phase, failure } = inbox.value;
  return (
    <section
      ref={panel}
      id="inbox"
      class="inbox"
      tabIndex={-1}
      aria-labelledby="inbox-title"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        close();
      }}
    >
      <div class="row">
        <h2 id="inbox-title">{TEXT.inbox}</h2>
        <span class="space" />
        <button type="button" class="small" disabled={unread.value === 0} onClick={mark}>
          {TEXT.markAllRead}
        </button>
        <button type="button" class="small" onClick={close}>
          {TEXT.close}
        </button>
      </div>
      {failure && (
        <div class="message bad" role="alert">
          <p>
            <strong>{adviceFor(failure.code).title}.</strong> {adviceFor(failure.code).next}
          </p>
          <button type="button" class="small" onClick={() => void readInbox()}>
            {TEXT.tryAgain}
          </button>
        </div>
      )}
      {items.length === 0 && !failure && (
        <p class="quiet" role="status">
          {phase === "busy" ? TEXT.loading : TEXT.inboxEmpty}
        </p>
      )}
      <ul>
        {items.map((item) => (
          <li key={item.number} class={item.read ? "" : "fresh"}>
            <button type="button" class="bare past" onClick={() => void follow(item)}>
              {!item.read && <span class="sr">{TEXT.unread} </span>}
              {notified(item)}
            </button>
            <time class="quiet" dateTime={item.at} title={utcTime(item.at)}>
              {localTime(item.at)}
            </time>
          </li>
        ))}
      </ul>
    </section>
  );
}
