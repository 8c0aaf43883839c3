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
    error?: {
        code: string;
        message: string;
    } | null;
    target?: {
        type: string;
        id: string | null;
    } | null;
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
/** A socket that comes again; `state` events tell of changes of `state`. */
declare abstract class LiveSocket extends EventTarget {
    #private;
    state: LiveState;
    /** Why it has ended, by the code of a problem or a farewell. */
    reason: string | null;
    protected readonly host: LiveHost;
    constructor(host: LiveHost, kind: "notifications" | "tail", path: string);
    /** End it for good. */
    close(): void;
    /** Come again now, as when a network is there again. */
    retry(): void;
    protected abstract greeted(frame: Frame): void;
    protected abstract received(frame: Frame): void;
    protected abstract receipt(): void;
    protected send(type: string, members: Record<string, unknown>): void;
    /** Acknowledge soon, together with what comes until then. */
    protected acknowledge(): void;
    protected tell(type: string, detail: unknown): void;
}
/**
 * The caller's notifications as they come: each once, in the order of their numbers, whatever breaks in between.
 *
 * `hello` tells the number of the newest one when the socket opens, `notifications` has a list of new ones.
 */
export declare class Notifications extends LiveSocket {
    #private;
    /** @param since the number of the last one that the caller has; null for those that are new from now on. */
    constructor(host: LiveHost, since: number | null);
    /** The number of the last one. */
    get last(): number | null;
    protected greeted(frame: Frame): void;
    protected received(frame: Frame): void;
    protected receipt(): void;
}
/** The tail of the audit trail: `events` has a list of new ones, `account` tells that the account has changed. */
export declare class Tail extends LiveSocket {
    #private;
    readonly account: TailAccount;
    constructor(host: LiveHost, filter: TailFilter);
    get isPaused(): boolean;
    /** Begin anew with another filter. */
    show(filter: TailFilter): void;
    /** Take no more; what comes meanwhile waits, or is counted as left out. */
    pause(): void;
    /** Go on where it was paused. */
    resume(): void;
    protected greeted(): void;
    protected received(frame: Frame): void;
    protected receipt(): void;
}
export {};
