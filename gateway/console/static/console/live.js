/**
 * Live sockets of Sluice: notifications as they come, and the tail of the audit trail.
 *
 * Both come again by themselves, from where they stood: after random pauses, so that not everybody comes at once.
 */
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
class LiveSocket extends EventTarget {
    state = "connecting";
    /** Why it has ended, by the code of a problem or a farewell. */
    reason = null;
    host;
    #kind;
    #path;
    #socket = null;
    #attempt = 0;
    #atLeast = 0;
    #timer;
    #receipts;
    constructor(host, kind, path) {
        super();
        this.host = host;
        this.#kind = kind;
        this.#path = path;
        // Not yet: nobody listens before the caller has this object.
        this.#timer = setTimeout(() => void this.#connect(), 0);
    }
    /** End it for good. */
    close() {
        this.#end("closed");
    }
    /** Come again now, as when a network is there again. */
    retry() {
        if (this.state !== "waiting")
            return;
        clearTimeout(this.#timer);
        void this.#connect();
    }
    send(type, members) {
        if (this.#socket?.readyState === 1)
            this.#socket.send(JSON.stringify({ v: 1, type, ...members }));
    }
    /** Acknowledge soon, together with what comes until then. */
    acknowledge() {
        this.#receipts ??= setTimeout(() => {
            this.#receipts = undefined;
            this.receipt();
        }, RECEIPT_MS);
    }
    tell(type, detail) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }
    async #connect() {
        this.#become("connecting");
        let address;
        let ticket;
        try {
            address = await this.host.address(this.#path);
            ticket = await this.host.ticket(this.#kind);
        }
        catch (error) {
            const { status, code } = error;
            if (status !== undefined && REFUSED.has(status))
                this.#end(code ?? "unauthenticated");
            else
                this.#comeAgain();
            return;
        }
        if (this.#isEnded())
            return;
        const socket = new this.host.WebSocket(address, [VERSION, `sluice.ticket.${ticket}`]);
        this.#socket = socket;
        socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)));
        socket.onclose = () => {
            if (this.#socket !== socket)
                return;
            const longest = this.state === "open" ? LONGEST_MS : LONGEST_REFUSED_MS;
            this.#socket = null;
            clearTimeout(this.#receipts);
            this.#receipts = undefined;
            this.#comeAgain(longest);
        };
    }
    #take(frame) {
        if (frame.type === "hello") {
            this.#attempt = 0;
            this.#become("open");
            this.greeted(frame);
        }
        else if (frame.type === "bye") {
            const again = frame.retry_after;
            if (again === null)
                this.#end(String(frame.code));
            else
                this.#atLeast = again * 1000;
        }
        else
            this.received(frame);
    }
    /** With full jitter: any time up to a bound that doubles. */
    #comeAgain(longest = LONGEST_MS) {
        if (this.#isEnded())
            return;
        const bound = Math.min(longest, FIRST_MS * 2 ** this.#attempt);
        const pause = this.#atLeast + this.host.random() * bound;
        this.#attempt += 1;
        this.#atLeast = 0;
        // The timer first: who hears that it waits may end it.
        this.#timer = setTimeout(() => void this.#connect(), pause);
        this.#become("waiting");
    }
    #end(reason) {
        if (this.#isEnded())
            return;
        this.reason = reason;
        clearTimeout(this.#timer);
        clearTimeout(this.#receipts);
        this.#socket?.close();
        this.#become("ended");
    }
    #isEnded() {
        return this.state === "ended";
    }
    #become(state) {
        if (this.state === state || this.#isEnded())
            return;
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
    #last;
    /** @param since the number of the last one that the caller has; null for those that are new from now on. */
    constructor(host, since) {
        super(host, "notifications", "/ws/notifications/");
        this.#last = since;
    }
    /** The number of the last one. */
    get last() {
        return this.#last;
    }
    greeted(frame) {
        // Below the own number it is after a restore of the database: what is new counts from there.
        this.#last = Math.min(this.#last ?? Number.POSITIVE_INFINITY, frame.last);
        this.tell("hello", frame.last);
        this.send("since", { id: this.#last });
    }
    received(frame) {
        if (frame.type === "notifications")
            this.#take(frame.items);
        else if (frame.type === "resync")
            void this.#readInbox();
    }
    receipt() {
        this.send("ack", { id: this.#last });
    }
    #take(items) {
        const fresh = items.filter((item) => item.number > (this.#last ?? 0));
        this.#last = fresh.at(-1)?.number ?? this.#last;
        if (fresh.length > 0)
            this.tell("notifications", fresh);
        this.acknowledge();
    }
    /** Too much was under way: read what is missing from the inbox, and go on behind it. */
    async #readInbox() {
        try {
            for (let page = await this.host.inbox(this.#last ?? 0);; page = await this.host.inbox(page.next)) {
                this.#take(page.notifications);
                if (page.next >= page.last)
                    break;
            }
        }
        catch {
            // What was read is taken; the rest comes by the socket, or by another resync.
        }
        this.send("since", { id: this.#last });
    }
}
/** The tail of the audit trail: `events` has a list of new ones, `account` tells that the account has changed. */
export class Tail extends LiveSocket {
    account = { shown: 0, filtered: 0, leftOut: 0, produced: 0 };
    #filter;
    #at = null;
    #base = {};
    /** Openings that the server has not answered; what comes meanwhile is of a tail before. */
    #opening = 0;
    #isPaused = false;
    #received = 0;
    constructor(host, filter) {
        super(host, "tail", "/ws/tail");
        this.#filter = filter;
    }
    get isPaused() {
        return this.#isPaused;
    }
    /** Begin anew with another filter. */
    show(filter) {
        this.#filter = filter;
        this.#at = null;
        this.#isPaused = false;
        this.#open();
    }
    /** Take no more; what comes meanwhile waits, or is counted as left out. */
    pause() {
        this.#isPaused = true;
        this.send("more", { frames: 0 });
    }
    /** Go on where it was paused. */
    resume() {
        this.#isPaused = false;
        this.#acknowledge(Math.max(1, this.#received));
    }
    greeted() {
        this.#opening = 0;
        this.#received = 0;
        this.#open();
    }
    received(frame) {
        if (frame.type !== "tail")
            return;
        this.#received += 1;
        if (!this.#isPaused)
            this.acknowledge();
        if (frame.opened)
            this.#opening -= 1;
        if (this.#opening > 0)
            return;
        if (frame.opened)
            this.#begin(frame.at);
        this.#take(frame);
    }
    receipt() {
        if (this.#received === 0 || this.#isPaused)
            return;
        this.#acknowledge(this.#received);
    }
    /** Tell the server of frames that were received; of those beyond one receipt by the next. */
    #acknowledge(frames) {
        const told = Math.min(MAX_FRAMES, frames);
        this.send("more", { frames: told });
        this.#received = Math.max(0, this.#received - told);
        if (this.#received > 0)
            this.acknowledge();
    }
    #open() {
        this.#opening += 1;
        this.send("tail", { filter: this.#filter, from: this.#at ?? {} });
    }
    #begin(at) {
        // A tail that came again goes on with its account.
        if (this.#at === null) {
            this.#base = { ...at };
            Object.assign(this.account, { shown: 0, filtered: 0, leftOut: 0, produced: 0 });
        }
        if (this.#isPaused)
            this.send("more", { frames: 0 });
    }
    #take(frame) {
        const events = frame.events;
        this.#at = frame.at;
        const { account } = this;
        account.shown += events.length;
        account.filtered += frame.filtered;
        account.leftOut += frame.left_out;
        account.produced = Object.entries(this.#at).reduce((sum, [partition, offset]) => sum + offset - (this.#base[partition] ?? 0), 0);
        if (events.length > 0)
            this.tell("events", events);
        this.tell("account", { ...account });
    }
}
