/**
 * Live sockets of Sluice: notifications as they come, and the tail of the audit trail.
 *
 * Both come again by themselves, from where they stood: after random pauses, so that not everybody comes at once.
 */

/** One thing that the caller is told. */
export interface Notification {
  /** The caller's own counter, without a gap. */
  number: number;
  kind: string;
  at: string;
  actor: string | null;
  /** What it is about; depends on the kind. */
  data: Record<string, unknown>;
  read: boolean;
}

export interface InboxPage {
  notifications: Notification[];
  /** Goes into `after` for those that follow. */
  next: number;
  last: number;
  unread: number;
}

/** An event of the audit trail as a tail shows it; one that is no event has `invalid` alone besides its place. */
export interface TailEvent {
  partition: number;
  offset: number;
  id?: string;
  type?: string;
  at?: string;
  user?: string | null;
  query?: string | null;
  index?: string | null;
  hits?: number | null;
  took_ms?: number | null;
  status?: number;
  error?: { code: string; message: string } | null;
  target?: { type: string; id: string | null } | null;
  client_ip?: string | null;
  invalid?: string;
}

/** Events that a tail shows: all that these members ask for. */
export interface TailFilter {
  user?: string;
  event_type?: string;
  /** Somewhere in the query, in any letter case. */
  text?: string;
}

/** What became of the events since a tail began: the first three are the fourth together. */
export interface TailAccount {
  shown: number;
  filtered: number;
  leftOut: number;
  produced: number;
}

/** `open`: what happens is shown as it happens. `waiting`: the connection is lost, and comes again. `ended`: for good. */
export type LiveState = "connecting" | "open" | "waiting" | "ended";

/** What live sockets need of a client. */
export interface LiveHost {
  /** The address of a socket. */
  address(path: string): Promise<string>;
  /** A ticket for one socket; a refusal with a status of 401 or 403 ends the socket. */
  ticket(kind: "notifications" | "tail"): Promise<string>;
  /** A page of the inbox. */
  inbox(after: number): Promise<InboxPage>;
  WebSocket: typeof WebSocket;
  /** From 0 to 1, as `Math.random` has it. */
  random(): number;
}

interface Frame {
  v: number;
  type: string;
  [member: string]: unknown;
}

const VERSION = "sluice.v1";
const FIRST_MS = 1000;
const LONGEST_MS = 30_000;
/** Where a socket was refused before its greeting: one too many of a user's, say, of which a browser tells no reason. */
const LONGEST_REFUSED_MS = 300_000;
/** Frames of a tail that one receipt may name. */
const MAX_FRAMES = 4;
/** Receipts go out together: a socket takes ten frames a second. */
const RECEIPT_MS = 200;
const REFUSED = new Set([401, 403]);

/** A socket that comes again; `state` events tell of changes of `state`. */
abstract class LiveSocket extends EventTarget {
  state: LiveState = "connecting";
  /** Why it has ended, by the code of a problem or a farewell. */
  reason: string | null = null;
  protected readonly host: LiveHost;
  readonly #kind: "notifications" | "tail";
  readonly #path: string;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #atLeast = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #receipts: ReturnType<typeof setTimeout> | undefined;

  constructor(host: LiveHost, kind: "notifications" | "tail", path: string) {
    super();
    this.host = host;
    this.#kind = kind;
    this.#path = path;
    // Not yet: nobody listens before the caller has this object.
    this.#timer = setTimeout(() => void this.#connect(), 0);
  }

  /** End it for good. */
  close(): void {
    this.#end("closed");
  }

  /** Come again now, as when a network is there again. */
  retry(): void {
    if (this.state !== "waiting") return;
    clearTimeout(this.#timer);
    void this.#connect();
  }

  protected abstract greeted(frame: Frame): void;
  protected abstract received(frame: Frame): void;
  protected abstract receipt(): void;

  protected send(type: string, members: Record<string, unknown>): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify({ v: 1, type, ...members }));
  }

  /** Acknowledge soon, together with what comes until then. */
  protected acknowledge(): void {
    this.#receipts ??= setTimeout(() => {
      this.#receipts = undefined;
      this.receipt();
    }, RECEIPT_MS);
  }

  protected tell(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  async #connect(): Promise<void> {
    this.#become("connecting");
    let address: string;
    let ticket: string;
    try {
      address = await this.host.address(this.#path);
      ticket = await this.host.ticket(this.#kind);
    } catch (error) {
      const { status, code } = error as { status?: number; code?: string };
      if (status !== undefined && REFUSED.has(status)) this.#end(code ?? "unauthenticated");
      else this.#comeAgain();
      return;
    }
    if (this.#isEnded()) return;
    const socket = new this.host.WebSocket(address, [VERSION, `sluice.ticket.${ticket}`]);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)) as Frame);
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      const longest = this.state === "open" ? LONGEST_MS : LONGEST_REFUSED_MS;
      this.#socket = null;
      clearTimeout(this.#receipts);
      this.#receipts = undefined;
      this.#comeAgain(longest);
    };
  }

  #take(frame: Frame): void {
    if (frame.type === "hello") {
      this.#attempt = 0;
      this.#become("open");
      this.greeted(frame);
    } else if (frame.type === "bye") {
      const again = frame.retry_after as number | null;
      if (again === null) this.#end(String(frame.code));
      else this.#atLeast = again * 1000;
    } else this.received(frame);
  }

  /** With full jitter: any time up to a bound that doubles. */
  #comeAgain(longest = LONGEST_MS): void {
    if (this.#isEnded()) return;
    const bound = Math.min(longest, FIRST_MS * 2 ** this.#attempt);
    const pause = this.#atLeast + this.host.random() * bound;
    this.#attempt += 1;
    this.#atLeast = 0;
    // The timer first: who hears that it waits may end it.
    this.#timer = setTimeout(() => void this.#connect(), pause);
    this.#become("waiting");
  }

  #end(reason: string): void {
    if (this.#isEnded()) return;
    this.reason = reason;
    clearTimeout(this.#timer);
    clearTimeout(this.#receipts);
    this.#socket?.close();
    this.#become("ended");
  }

  #isEnded(): boolean {
    return this.state === "ended";
  }

  #become(state: LiveState): void {
    if (this.state === state || this.#isEnded()) return;
    this.state = state;
    this.tell("state", state);
  }
}

/**
 * The caller's notifications as they come: each once, in the order of their numbers, whatever breaks in between.
 *
 * `hello` tells the number of the newest one when the socket opens, `notifications` has a list of new ones.
 */
export class Notifications extends LiveSocket {
  #last: number | null;

  /** @param since the number of the last one that the caller has; null for those that are new from now on. */
  constructor(host: LiveHost, since: number | null) {
    super(host, "notifications", "/ws/notifications/");
    this.#last = since;
  }

  /** The number of the last one. */
  get last(): number | null {
    return this.#last;
  }

  protected greeted(frame: Frame): void {
    // Below the own number it is after a restore of the database: what is new counts from there.
    this.#last = Math.min(this.#last ?? Number.POSITIVE_INFINITY, frame.last as number);
    this.tell("hello", frame.last);
    this.send("since", { id: this.#last });
  }

  protected received(frame: Frame): void {
    if (frame.type === "notifications") this.#take(frame.items as Notification[]);
    else if (frame.type === "resync") void this.#readInbox();
  }

  protected receipt(): void {
    this.send("ack", { id: this.#last });
  }

  #take(items: Notification[]): void {
    const fresh = items.filter((item) => item.number > (this.#last ?? 0));
    this.#last = fresh.at(-1)?.number ?? this.#last;
    if (fresh.length > 0) this.tell("notifications", fresh);
    this.acknowledge();
  }

  /** Too much was under way: read what is missing from the inbox, and go on behind it. */
  async #readInbox(): Promise<void> {
    try {
      for (let page = await this.host.inbox(this.#last ?? 0); ; page = await this.host.inbox(page.next)) {
        this.#take(page.notifications);
        if (page.next >= page.last) break;
      }
    } catch {
      // What was read is taken; the rest comes by the socket, or by another resync.
    }
    this.send("since", { id: this.#last });
  }
}

/** The tail of the audit trail: `events` has a list of new ones, `account` tells that the account has changed. */
export class Tail extends LiveSocket {
  readonly account: TailAccount = { shown: 0, filtered: 0, leftOut: 0, produced: 0 };
  #filter: TailFilter;
  #at: Record<string, number> | null = null;
  #base: Record<string, number> = {};
  /** Openings that the server has not answered; what comes meanwhile is of a tail before. */
  #opening = 0;
  #isPaused = false;
  #received = 0;

  constructor(host: LiveHost, filter: TailFilter) {
    super(host, "tail", "/ws/tail");
    this.#filter = filter;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Begin anew with another filter. */
  show(filter: TailFilter): void {
    this.#filter = filter;
    this.#at = null;
    this.#isPaused = false;
    this.#open();
  }

  /** Take no more; what comes meanwhile waits, or is counted as left out. */
  pause(): void {
    this.#isPaused = true;
    this.send("more", { frames: 0 });
  }

  /** Go on where it was paused. */
  resume(): void {
    this.#isPaused = false;
    this.#acknowledge(Math.max(1, this.#received));
  }

  protected greeted(): void {
    this.#opening = 0;
    this.#received = 0;
    this.#open();
  }

  protected received(frame: Frame): void {
    if (frame.type !== "tail") return;
    this.#received += 1;
    if (!this.#isPaused) this.acknowledge();
    if (frame.opened) this.#opening -= 1;
    if (this.#opening > 0) return;
    if (frame.opened) this.#begin(frame.at as Record<string, number>);
    this.#take(frame);
  }

  protected receipt(): void {
    if (this.#received === 0 || this.#isPaused) return;
    this.#acknowledge(this.#received);
  }

  /** Tell the server of frames that were received; of those beyond one receipt by the next. */
  #acknowledge(frames: number): void {
    const told = Math.min(MAX_FRAMES, frames);
    this.send("more", { frames: told });
    this.#received = Math.max(0, this.#received - told);
    if (this.#received > 0) this.acknowledge();
  }

  #open(): void {
    this.#opening += 1;
    this.send("tail", { filter: this.#filter, from: this.#at ?? {} });
  }

  #begin(at: Record<string, number>): void {
    // A tail that came again goes on with its account.
    if (this.#at === null) {
      this.#base = { ...at };
      Object.assign(this.account, { shown: 0, filtered: 0, leftOut: 0, produced: 0 });
    }
    if (this.#isPaused) this.send("more", { frames: 0 });
  }

  #take(frame: Frame): void {
    const events = frame.events as TailEvent[];
    this.#at = frame.at as Record<string, number>;
    const { account } = this;
    account.shown += events.length;
    account.filtered += frame.filtered as number;
    account.leftOut += frame.left_out as number;
    account.produced = Object.entries(this.#at).reduce(
      (sum, [partition, offset]) => sum + offset - (this.#base[partition] ?? 0),
      0,
    );
    if (events.length > 0) this.tell("events", events);
    this.tell("account", { ...account });
  }
}
