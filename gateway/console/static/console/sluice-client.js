/**
 * Client of Sluice's API for JavaScript: searches, pages of one snapshot, streams, completion, and the session.
 *
 * An ES module without dependencies, for browsers and for Node. In a page of the gateway's own origin it comes in by
 * the session's cookie and keeps access tokens in memory alone; elsewhere by an `authorization` of the caller's.
 *
 * Positions in a query are UTF-16 units here, as in every JavaScript string; the API's are code points.
 *
 * @example
 * const client = new SluiceClient();
 * await client.logIn({ username: "ayse", password });
 * for await (const page of client.pages({ query: "OS.Type = Linux", sort: ["-LastSeen"] })) show(page.results);
 */
import { Notifications, Tail } from "./live.js";
/** A refusal of the API (RFC 9457). Decide by `code`; the list is closed. */
export class SluiceProblem extends Error {
    name = "SluiceProblem";
    status;
    code;
    detail;
    queryId;
    /** Where the query is wrong, in UTF-16 units. */
    position;
    end;
    suggestions;
    /** Seconds after which it may be tried again. */
    retryAfter;
    /** Of `factor_required`: what goes into `logIn` with a code. */
    ticket;
    /** Of `factor_required`: whether the account has a second factor already. */
    enrolled;
    /** Of `document_invalid`: what the schema does not allow, and where. */
    errors;
    constructor(body, retryAfter, query) {
        super(body.detail);
        this.status = body.status;
        this.code = body.code;
        this.detail = body.detail;
        this.queryId = body.query_id ?? null;
        this.position = body.position === undefined ? null : toUtf16(query, body.position);
        this.end = body.end === undefined ? null : toUtf16(query, body.end);
        this.suggestions = body.suggestions ?? [];
        this.retryAfter = retryAfter;
        this.ticket = body.ticket ?? null;
        this.enrolled = body.enrolled ?? true;
        this.errors = body.errors ?? [];
    }
}
/** No answer: the gateway cannot be reached. */
export class SluiceUnreachable extends Error {
    name = "SluiceUnreachable";
}
const RENEW_BEFORE_MS = 20_000;
/** Client of one gateway, for one user. */
export class SluiceClient {
    #base;
    #authorization;
    #fetch;
    #live;
    #liveUrl = null;
    #token = "";
    #tokenEnds = 0;
    #minting = null;
    /** The user whose session it is, once that is known. */
    #user = null;
    #mintedFor = null;
    constructor(options = {}) {
        this.#base = options.base ?? "";
        this.#authorization = options.authorization;
        this.#fetch = options.fetch ?? ((...request) => globalThis.fetch(...request));
        this.#live = {
            address: (path) => this.#liveAddress(path),
            ticket: (kind) => this.#ticket(kind, {}, { isIdle: true }),
            inbox: (after) => this.#inbox(after, 50, true),
            WebSocket: options.WebSocket ?? globalThis.WebSocket,
            random: Math.random,
        };
    }
    /**
     * Log in and begin a session, whose cookie no script can read.
     *
     * @throws {SluiceProblem} `factor_required` with a `ticket`: call again with it and a code of the authenticator.
     */
    async logIn(credentials) {
        this.#user = null;
        const tokens = (await this.#call("POST", "/auth/login", { body: credentials, anonymous: true }));
        this.#keep(tokens);
        await this.#call("POST", "/auth/session", {});
    }
    /** How people come in, besides by a password. */
    async waysIn() {
        return (await this.#call("GET", "/auth/providers", { anonymous: true }));
    }
    /** Ask for an account; a mail with a link goes to the address. */
    async signUp(person) {
        await this.#call("POST", "/auth/signup", { body: person, anonymous: true });
    }
    /** Become a user, by the token of the mail's link; returns the name to log in by. */
    async confirmSignUp(token) {
        const made = await this.#call("POST", "/auth/signup/verify", { body: { token }, anonymous: true });
        return made.username;
    }
    /** Ask for a new password; a mail with a link goes to the address, if it is a user's. */
    async forgotPassword(email) {
        await this.#call("POST", "/auth/password/forgot", { body: { email }, anonymous: true });
    }
    /** Set a new password, by the token of the mail's link. All log-ins of the user end. */
    async resetPassword(token, password) {
        const body = { token, new_password: password };
        await this.#call("POST", "/auth/password/reset", { body, anonymous: true });
    }
    /**
     * Begin a log-in by a provider (RFC 7636).
     *
     * @param returnTo this page's origin with `/`, or one of the gateway's `GATEWAY_LOGIN_RETURN_URLS`.
     */
    async beginProviderLogIn(provider, returnTo) {
        const [state, verifier] = [secret(), secret()];
        const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
        const parameters = new URLSearchParams({
            return_to: returnTo,
            code_challenge: base64url(new Uint8Array(digest)),
            code_challenge_method: "S256",
            state,
        });
        const url = `${this.#base}/auth/${encodeURIComponent(provider.name)}?${parameters}`;
        return { url, state, verifier, returnTo };
    }
    /** End a log-in by a provider with the code that came back, and begin a session. */
    async endProviderLogIn(begun, code) {
        this.#user = null;
        const form = new URLSearchParams({
            grant_type: "authorization_code",
            code,
            code_verifier: begun.verifier,
            redirect_uri: begun.returnTo,
        });
        const headers = { "Content-Type": "application/x-www-form-urlencoded" };
        const call = { text: String(form), headers, anonymous: true };
        this.#keep((await this.#call("POST", "/oauth/token", call)));
        await this.#call("POST", "/auth/session", {});
    }
    /**
     * Begin a second factor, which counts once it is confirmed; its key is for an authenticator.
     *
     * @param ticket of a `factor_required` without a factor; null for a user whose log-in is no older than five minutes.
     */
    async beginFactor(ticket = null) {
        const call = { body: ticket === null ? {} : { ticket }, anonymous: ticket !== null };
        return (await this.#call("POST", "/auth/totp", call));
    }
    /** Confirm a second factor with a first code; returns the recovery codes, which can be had this once. */
    async confirmFactor(code, ticket = null) {
        const call = { body: ticket === null ? { code } : { code, ticket }, anonymous: ticket !== null };
        const answer = await this.#call("POST", "/auth/totp/confirm", call);
        return answer.recovery_codes;
    }
    /** End the session, and its log-in with all tokens. */
    async logOut() {
        this.#token = "";
        this.#user = null;
        await this.#call("DELETE", "/auth/session", { anonymous: true });
    }
    /** Who the caller is. */
    async me() {
        let me = null;
        if (!this.#authorization && this.#isTokenOver()) {
            // The token of a session comes with whom it is for.
            await this.#mint(false);
            me = this.#mintedFor;
        }
        me ??= (await this.#call("GET", "/auth/me", {}));
        this.#user = me.username;
        const own = this.#base || globalThis.location?.origin || "";
        this.#liveUrl = me.live_url ?? own.replace(/^http/, "ws");
        return me;
    }
    /** Your inbox from a number on, in the order of the numbers; the newest fifty are those after `last` - 50. */
    async inbox(after, size = 50) {
        return this.#inbox(after, size, false);
    }
    async #inbox(after, size, isIdle) {
        const parameters = new URLSearchParams({ after: String(after), size: String(size) });
        return (await this.#call("GET", `/notifications?${parameters}`, { isIdle }));
    }
    /** Mark notifications as read, all up to a number or these alone; returns how many are unread then. */
    async markRead(which) {
        return (await this.#call("POST", "/notifications/read", { body: which })).unread;
    }
    /**
     * Your notifications as they come; `close()` it.
     *
     * @param since the number of the last one that you have; null for those that are new from now on.
     */
    notifications(since = null) {
        return new Notifications(this.#live, since);
    }
    /** The audit trail as it is written, for auditors; `close()` it. Each opening is on the trail itself. */
    tail(filter = {}) {
        return new Tail(this.#live, filter);
    }
    /** Search one page. */
    async search(search, signal) {
        const page = (await this.#call("POST", "/search", { body: search, query: search.query, signal }));
        return { ...page, notices: utf16Notices(search.query, page.notices) };
    }
    /** Read on page by page over one snapshot, to any depth. One that is left before its end is given up. */
    async *pages(search, signal) {
        let cursor = search.cursor ?? "start";
        try {
            while (cursor !== null) {
                const page = await this.search({ ...search, cursor }, signal);
                cursor = page.next;
                yield page;
            }
        }
        finally {
            if (cursor !== null && cursor !== "start")
                await this.closeCursor(cursor);
        }
    }
    /** Give up a snapshot that is not read to its end. A failure is none of the caller's: it ends by itself in two minutes. */
    async closeCursor(cursor) {
        const [id = ""] = cursor.split(".");
        const path = `/cursors/${encodeURIComponent(id)}`;
        // It goes out also while the page is being left.
        await this.#call("DELETE", path, { keepalive: true }).catch(() => undefined);
    }
    /**
     * All documents that match, one after the other, however many there are.
     *
     * @throws {SluiceProblem} also on the way: what came before it is good.
     */
    async *stream(search, signal) {
        const response = await this.#send("POST", "/search", {
            body: search,
            query: search.query,
            signal,
            accept: "application/x-ndjson",
        });
        const queryId = response.headers.get("X-Query-ID");
        for await (const line of lines(response)) {
            const document = parseJson(line);
            const problem = document.problem;
            if (problem?.query_id !== undefined && problem.query_id === queryId) {
                throw new SluiceProblem(problem, null, search.query);
            }
            yield document;
        }
    }
    /** What can stand at a place of a query. */
    async complete(query, cursor, index, signal) {
        const body = { query, cursor: toCodePoints(query, cursor), ...(index && { index }) };
        const answer = (await this.#call("POST", "/complete", { body, query, signal }));
        return { ...answer, start: toUtf16(query, answer.start), end: toUtf16(query, answer.end) };
    }
    /** The Elasticsearch query that a query becomes, and its canonical form. */
    async translate(query, index, signal) {
        const body = { query, ...(index && { index }) };
        const answer = (await this.#call("POST", "/translate", { body, query, signal }));
        return { ...answer, notices: utf16Notices(query, answer.notices) };
    }
    /** The fields of an index that a query can name. */
    async fields(index, signal) {
        const parameters = index ? `?${new URLSearchParams({ index })}` : "";
        return (await this.#call("GET", `/fields${parameters}`, { signal }));
    }
    /** Your own searches as the audit trail has them, the newest first; `next` of a page goes into `before`. */
    async history(before, signal) {
        const parameters = new URLSearchParams({ kind: "query", ...(before && { before }) });
        return (await this.#call("GET", `/history?${parameters}`, { signal }));
    }
    /** The address of a download, good once and for 30 seconds: for a link, which can send no header. */
    async download(search, format) {
        const ticket = await this.#ticket("download", { search, format }, { query: search.query });
        return `${this.#base}/downloads/${encodeURIComponent(ticket)}`;
    }
    /** The types of the inventory that the caller may read. */
    async inventoryTypes() {
        return (await this.#call("GET", "/inventory-types", {})).types;
    }
    /** Search the documents of a type. */
    async documents(type, query, cursor) {
        const parameters = new URLSearchParams({ q: query, ids: "true", ...(cursor && { cursor }) });
        const path = `/inventory/${encodeURIComponent(type)}?${parameters}`;
        return (await this.#call("GET", path, { query }));
    }
    /** Read a document of the inventory, as it is now. */
    async document(type, id) {
        return this.#stored("GET", documentPath(type, id), {});
    }
    /**
     * Create a document, or replace the version that was read.
     *
     * @param document the document, or its JSON text.
     * @param etag of the version that was read; null for a document that is not there.
     * @throws {SluiceProblem} `document_invalid` with `errors`; `precondition_failed` if another version is there.
     */
    async putDocument(type, id, document, etag) {
        const headers = etag === null ? { "If-None-Match": "*" } : { "If-Match": etag };
        return this.#stored("PUT", documentPath(type, id), { text: textOf(document), headers });
    }
    /**
     * Create a document under the key that is in it, or under a new id; gives its id as well.
     *
     * @param above type and id of the document that it stands below.
     */
    async createDocument(type, document, above) {
        const path = `${above ? documentPath(above.type, above.id) : "/inventory"}/${encodeURIComponent(type)}`;
        const response = await this.#send("POST", path, { text: textOf(document) });
        const id = decodeURIComponent(response.headers.get("Location")?.split("/").pop() ?? "");
        return { ...(await asStored(response)), id };
    }
    /** Delete the version of a document that was read. */
    async deleteDocument(type, id, etag) {
        await this.#call("DELETE", documentPath(type, id), { headers: { "If-Match": etag } });
    }
    /** The versions of a document, the newest first, also of one that was deleted. */
    async versions(type, id, before) {
        const parameters = before === undefined ? "" : `?before=${before}`;
        return (await this.#call("GET", `${documentPath(type, id)}/history${parameters}`, {}));
    }
    /** One version of a document; its `document` is null if it is a deletion, or was erased. */
    async version(type, id, version) {
        const path = `${documentPath(type, id)}/history/${version}`;
        return (await this.#call("GET", path, {}));
    }
    /** Restore a version of a document as a new one; `etag` is null for a document that was deleted. */
    async restoreDocument(type, id, version, etag) {
        const headers = etag === null ? {} : { "If-Match": etag };
        return this.#stored("POST", `${documentPath(type, id)}/restore`, { body: { version }, headers });
    }
    /** The documents of a type that stand below another document, in the order of their ids. */
    async children(type, id, childType, after) {
        const parameters = after ? `?${new URLSearchParams({ after })}` : "";
        const path = `${documentPath(type, id)}/${encodeURIComponent(childType)}${parameters}`;
        return (await this.#call("GET", path, {}));
    }
    /** Users by name, for administrators; `next` of a page goes into `after`. */
    async users(after) {
        const parameters = after ? `?${new URLSearchParams({ after })}` : "";
        return (await this.#call("GET", `/auth/users${parameters}`, {}));
    }
    /** Notifications on their way by mail or webhook: one's own, for administrators everybody's. */
    async deliveries(state, after) {
        const parameters = new URLSearchParams({ state, ...(after && { after }) });
        return (await this.#call("GET", `/deliveries?${parameters}`, {}));
    }
    /** Send a delivery again. */
    async resend(delivery) {
        await this.#call("POST", `/deliveries/${encodeURIComponent(delivery)}/resend`, {});
    }
    /**
     * Saved searches, the newest first: one's own and those that are shared with one.
     *
     * @param before `next` of the page before.
     * @param which `mine` is one's own alone; `orphaned`, for administrators, what users who were deleted had shared.
     */
    async savedSearches(before, which = "all") {
        const path = `/searches/?${keptParameters(before, which)}`;
        return (await this.#call("GET", path, {}));
    }
    /** A saved search; its `version` is what a change takes. */
    async savedSearch(id) {
        return (await this.#call("GET", searchPath(id), {}));
    }
    /** Save a search. */
    async saveSearch(search) {
        return (await this.#call("POST", "/searches/", { body: search }));
    }
    /**
     * Change members of a saved search.
     *
     * @throws {SluiceProblem} `precondition_failed` if another version than that one is there.
     */
    async changeSearch(id, members, version) {
        return (await this.#call("PATCH", searchPath(id), patch(members, version)));
    }
    /** Delete the version of a saved search that was read. */
    async deleteSearch(id, version) {
        await this.#call("DELETE", searchPath(id), matching(version));
    }
    /** Be told of new and gone documents of a saved search, which is looked at every so many seconds. */
    async watch(id, interval) {
        const body = interval === undefined ? {} : { interval };
        return (await this.#call("PUT", `${searchPath(id)}/watch`, { body }));
    }
    async endWatch(id) {
        await this.#call("DELETE", `${searchPath(id)}/watch`, {});
    }
    /** Collections of saved searches; the parameters are those of `savedSearches`. */
    async collections(before, which = "all") {
        const path = `/collections/?${keptParameters(before, which)}`;
        return (await this.#call("GET", path, {}));
    }
    async collection(id) {
        return (await this.#call("GET", collectionPath(id), {}));
    }
    async makeCollection(collection) {
        return (await this.#call("POST", "/collections/", { body: collection }));
    }
    /** Change members of a collection; throws as `changeSearch` does. */
    async changeCollection(id, members, version) {
        return (await this.#call("PATCH", collectionPath(id), patch(members, version)));
    }
    /** Delete the version of a collection that was read; its searches stay. */
    async deleteCollection(id, version) {
        await this.#call("DELETE", collectionPath(id), matching(version));
    }
    /** Put a search into a collection, or elsewhere in it: before another one, or at the end. */
    async putIntoCollection(id, search, version, before = null) {
        const path = `${collectionPath(id)}/searches/${encodeURIComponent(search)}`;
        return (await this.#call("PUT", path, { ...matching(version), body: { before } }));
    }
    async takeFromCollection(id, search, version) {
        const path = `${collectionPath(id)}/searches/${encodeURIComponent(search)}`;
        return (await this.#call("DELETE", path, matching(version)));
    }
    async #stored(method, path, call) {
        return asStored(await this.#send(method, path, call));
    }
    async #ticket(kind, more, call) {
        const body = { for: kind, ...more };
        return (await this.#call("POST", "/auth/tickets", { ...call, body })).ticket;
    }
    async #liveAddress(path) {
        if (this.#liveUrl === null)
            await this.me();
        return `${this.#liveUrl}${path}`;
    }
    #isTokenOver() {
        return Date.now() > this.#tokenEnds - RENEW_BEFORE_MS;
    }
    #keep(tokens) {
        this.#token = tokens.access_token;
        this.#tokenEnds = Date.now() + tokens.expires_in * 1000;
    }
    async #mint(isIdle) {
        this.#minting ??= this.#mintOne(isIdle).finally(() => {
            this.#minting = null;
        });
        await this.#minting;
    }
    async #mintOne(isIdle) {
        const call = { ...(isIdle && { body: { idle: true } }), anonymous: true };
        const tokens = (await this.#call("POST", "/auth/session/token", call));
        // Tabs share a cookie: after a log-in in another one it may be somebody else's.
        if (this.#user !== null && this.#user !== tokens.me.username) {
            const detail = "Somebody else has logged in in this browser.";
            throw new SluiceProblem({ status: 401, code: "unauthenticated", detail }, null, "");
        }
        this.#keep(tokens);
        this.#mintedFor = tokens.me;
    }
    async #call(method, path, call) {
        const response = await this.#send(method, path, call);
        if (response.status === 204)
            return null;
        return parseJson(await read(() => response.text()));
    }
    async #send(method, path, call, again = false) {
        const text = call.text ?? (call.body === undefined ? null : JSON.stringify(call.body));
        const headers = { Accept: call.accept ?? "application/json", ...call.headers };
        if (text !== null)
            headers["Content-Type"] ??= "application/json";
        if (!call.anonymous) {
            if (!this.#authorization && this.#isTokenOver())
                await this.#mint(call.isIdle ?? false);
            headers.Authorization = this.#authorization ?? `Bearer ${this.#token}`;
        }
        call.signal?.throwIfAborted();
        const response = await read(() => this.#fetch(this.#base + path, {
            method,
            headers,
            body: text,
            signal: call.signal ?? null,
            cache: "no-store",
            keepalive: call.keepalive ?? false,
            redirect: "error",
        }));
        if (response.ok)
            return response;
        if (response.status === 401 && !call.anonymous && !this.#authorization && !again) {
            // The token has ended before its time, as after a restart; the session may be good still.
            this.#tokenEnds = 0;
            return this.#send(method, path, call, true);
        }
        throw await asProblem(response, call.query ?? "");
    }
}
const base64url = (bytes) => btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
/** 256 bits that nobody can guess. */
const secret = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const searchPath = (id) => `/searches/${encodeURIComponent(id)}`;
const collectionPath = (id) => `/collections/${encodeURIComponent(id)}`;
const matching = (version) => ({ headers: { "If-Match": `"${version}"` } });
const patch = (body, version) => ({
    body,
    headers: { ...matching(version).headers, "Content-Type": "application/merge-patch+json" },
});
const keptParameters = (before, which) => new URLSearchParams({
    size: "100",
    ...(before && { before }),
    ...(which !== "all" && { [which]: "true" }),
});
const documentPath = (type, id) => `/inventory/${encodeURIComponent(type)}/${encodeURIComponent(id)}`;
const textOf = (document) => typeof document === "string" ? document : writeJson(document);
async function asStored(response) {
    const document = parseJson(await read(() => response.text()));
    return { document, etag: response.headers.get("ETag") ?? "" };
}
async function read(action) {
    try {
        return await action();
    }
    catch (error) {
        if (error instanceof DOMException && error.name === "AbortError")
            throw error;
        throw new SluiceUnreachable("The gateway cannot be reached.", { cause: error });
    }
}
async function asProblem(response, query) {
    const after = Number(response.headers.get("Retry-After"));
    let body = null;
    try {
        body = JSON.parse(await response.text());
    }
    catch {
        // The HTTP server's own answers have no body.
    }
    return new SluiceProblem(typeof body?.code === "string"
        ? body
        : { status: response.status, code: "internal", detail: `Status ${response.status}.` }, after > 0 ? after : null, query);
}
async function* lines(response) {
    if (response.body === null)
        return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    try {
        while (true) {
            const { done, value } = await read(() => reader.read());
            if (done)
                break;
            const parts = (rest + value).split("\n");
            rest = parts.pop() ?? "";
            yield* parts.filter((part) => part !== "");
        }
    }
    finally {
        await reader.cancel().catch(() => undefined);
    }
    if (rest !== "")
        yield rest;
}
function utf16Notices(query, notices) {
    return notices.map((each) => ({
        ...each,
        position: toUtf16(query, each.position),
        end: toUtf16(query, each.end),
    }));
}
/** A position in code points as one in UTF-16 units. */
export function toUtf16(text, codePoints) {
    let units = 0;
    for (let left = codePoints; left > 0 && units < text.length; left--) {
        units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
    }
    return units;
}
/** A position in UTF-16 units as one in code points; half a pair counts as the whole. */
export function toCodePoints(text, units) {
    let count = 0;
    for (let at = 0; at < Math.min(units, text.length); count++) {
        at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    }
    return count;
}
const LONG_INTEGER = /^-?\d{16,}$/;
/**
 * JSON with every integer exact. It takes a runtime that tells a number's text (Chrome 114, Firefox 135, Safari 18.4,
 * Node 22); an older one rounds integers beyond 2^53.
 */
export function parseJson(text) {
    return JSON.parse(text, (_name, value, context) => typeof value === "number" && !Number.isSafeInteger(value) && LONG_INTEGER.test(context?.source ?? "")
        ? BigInt(context?.source ?? value)
        : value);
}
const raw = JSON.rawJSON;
/** The JSON text of a value that `parseJson` has read. */
export function writeJson(value, indent = 0) {
    return JSON.stringify(value, (_name, each) => (typeof each === "bigint" ? (raw?.(String(each)) ?? String(each)) : each), indent);
}
