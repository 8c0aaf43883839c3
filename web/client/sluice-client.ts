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

import { type InboxPage, type LiveHost, Notifications, Tail, type TailFilter } from "./live.ts";

/** A value of JSON; integers beyond 2^53 are `bigint`, so that none is rounded. */
export type Json = null | boolean | number | bigint | string | Json[] | { [name: string]: Json };
/** A document as the index has it. */
export type Document = { [name: string]: Json };

export interface Search {
  query: string;
  index?: string;
  /** Fields with doc values, `-` before a name for descending order. */
  sort?: string[];
  fields?: string[];
  size?: number;
  page?: number;
  /** `"start"`, or `next` of the page before. */
  cursor?: string;
  case_insensitive?: boolean;
  explain?: boolean;
  /** Whether the answer has the documents' ids as well. */
  ids?: boolean;
}

export interface Notice {
  code: string;
  message: string;
  position: number;
  end: number;
  suggestion: string | null;
}

export interface Page {
  query_id: string;
  count: number;
  /** `gte`: there are more than `count`. */
  count_relation: "eq" | "gte";
  took_ms: number;
  results: Document[];
  /** Of the results, in their order; with `ids: true`. */
  ids?: string[];
  next: string | null;
  notices: Notice[];
  dsl?: Json;
}

export interface Field {
  name: string;
  type: string;
  operators: string[];
  sortable: boolean;
  alias_of?: string;
  nested?: string;
  problem?: string;
}

export interface Suggestion {
  text: string;
  kind: "field" | "operator" | "keyword" | "value";
  type: string;
}

export interface Completion {
  start: number;
  end: number;
  suggestions: Suggestion[];
  values_of: string | null;
  /** Whether the list has all that there are; absent where the gateway does not say. */
  complete?: boolean;
}

export interface Translation {
  query: Json;
  fields: string[];
  canonical: string;
  notices: Notice[];
}

export interface HistoryEvent {
  /** The `query_id` of its answer. */
  id: string;
  at: string;
  action: string;
  status: number;
  query: string | null;
  index: string | null;
  hits: number | null;
  took_ms: number | null;
  code?: string;
}

export interface HistoryPage {
  events: HistoryEvent[];
  next: string | null;
}

export interface Me {
  username: string;
  role: "searcher" | "auditor" | "admin";
  indices: string[];
  /** The inventory types that the caller is granted to write; administrators may write all. */
  writable_types: string[];
  /** Where live sockets are, if that is not the gateway's own address. */
  live_url?: string;
}

/** A type of the inventory. */
export interface InventoryType {
  name: string;
  index: string;
  public: boolean;
  /** JSON pointer to the member that is a new document's id; null if it gets one. */
  key: string | null;
  /** The type that its documents stand below. */
  parent: string | null;
  schema_version: number;
}

/** A document of the inventory as it was read, or is after a write. */
export interface Stored {
  document: Document;
  /** Its version, to write it by. */
  etag: string;
}

export interface Version {
  version: number;
  op: "create" | "replace" | "patch" | "delete" | "restore" | "snapshot" | "erase";
  at: string;
  /** Null where the name was erased. */
  actor: string | null;
  /** JSON pointers; an empty one is the whole document. */
  changed: string[];
}

export interface Versions {
  /** Whether the newest one is on its way to the index, was sent there, or was refused there. */
  index_state: "pending" | "published" | "rejected";
  versions: Version[];
  /** Goes into `before` for older ones. */
  next?: number;
}

/** A member that a type's schema does not allow. */
export interface DocumentError {
  pointer: string;
  keyword: string;
  detail: string;
}

export interface Child {
  id: string;
  version: number;
  document: Document;
}

/** A user, as administrators see them. */
export interface User {
  username: string;
  full_name: string;
  email: string | null;
  role: Me["role"];
  indices: string[];
  writable_types: string[];
  active: boolean;
  totp: boolean;
}

/** A notification on its way by mail or webhook. */
export interface Delivery {
  id: string;
  channel: string;
  state: "pending" | "sent" | "dead";
  user: string;
  attempts: number;
  queued_at: string;
  error: string | null;
}

export type ShareRole = "viewer" | "editor" | "owner";

/** A user with whom something is shared by name. */
export interface SharedWith {
  user: string;
  role: Exclude<ShareRole, "owner">;
}

/** What can be set of a collection, and of a saved search. */
export interface CollectionMembers {
  title: string;
  description?: string;
  /** Who sees it: its owner, the `users` that are named too, or everyone who may log in. */
  visibility?: "me" | "users" | "everyone";
  users?: SharedWith[];
}

export interface SearchMembers extends CollectionMembers {
  query: string;
  /** Null for the first that its reader may search. */
  index?: string | null;
  columns?: string[] | null;
  sort?: string[];
}

interface Kept {
  id: string;
  /** Null where that user was deleted. */
  owner: string | null;
  /** What the caller may do with it. */
  role: ShareRole;
  version: number;
  created_at: string;
  updated_at: string;
}

export interface Watch {
  /** Seconds between two looks. */
  interval: number;
  looked_at: string | null;
  /** Why the last look found nothing. */
  problem: string | null;
}

/** A saved search in a list, without its query. */
export interface SearchSummary extends Kept {
  title: string;
  description: string;
  visibility: NonNullable<CollectionMembers["visibility"]>;
  index: string | null;
  watch: Watch | null;
}

/** A saved search; `users` is there for its owner and editors alone. */
export type SavedSearch = Kept & Required<Omit<SearchMembers, "users">> & Pick<SearchMembers, "users">;
/** A collection; `searches` are ids, of searches too that the caller does not see. */
export type Collection = Kept &
  Required<Omit<CollectionMembers, "users">> &
  Pick<CollectionMembers, "users"> & { searches: string[] };

/** Which saved searches or collections are listed. */
export type KeptWhich = "all" | "mine" | "orphaned";

/** An identity provider that people can log in by. */
export interface Provider {
  name: string;
  /** Its name for people. */
  label: string;
  url: string;
}

/** How people come in, besides by a password. */
export interface WaysIn {
  providers: Provider[];
  /** Whether everybody can sign up. */
  sign_up: boolean;
  /** Whether one who has forgotten the password is sent a link. */
  new_password: boolean;
}

/** A log-in by a provider that has been begun: secret, and to be kept in memory. */
export interface ProviderLogIn {
  /** Where a window of the browser goes; it comes back to `returnTo` with `code` and `state`. */
  url: string;
  state: string;
  verifier: string;
  returnTo: string;
}

export type Credentials =
  | { username: string; password: string }
  /** The verifier is that of a log-in by a provider whose window brought the ticket. */
  | { ticket: string; code: string; code_verifier?: string };

interface ProblemBody {
  status: number;
  code: string;
  detail: string;
  query_id?: string;
  position?: number;
  end?: number;
  suggestions?: string[];
  ticket?: string;
  enrolled?: boolean;
  errors?: DocumentError[];
}

/** A refusal of the API (RFC 9457). Decide by `code`; the list is closed. */
export class SluiceProblem extends Error {
  override readonly name = "SluiceProblem";
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly queryId: string | null;
  /** Where the query is wrong, in UTF-16 units. */
  readonly position: number | null;
  readonly end: number | null;
  readonly suggestions: string[];
  /** Seconds after which it may be tried again. */
  readonly retryAfter: number | null;
  /** Of `factor_required`: what goes into `logIn` with a code. */
  readonly ticket: string | null;
  /** Of `factor_required`: whether the account has a second factor already. */
  readonly enrolled: boolean;
  /** Of `document_invalid`: what the schema does not allow, and where. */
  readonly errors: DocumentError[];

  constructor(body: ProblemBody, retryAfter: number | null, query: string) {
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
  override readonly name = "SluiceUnreachable";
}

export type {
  InboxPage,
  LiveState,
  Notification,
  Notifications,
  Tail,
  TailAccount,
  TailEvent,
  TailFilter,
} from "./live.ts";

export interface Options {
  /** Where the gateway is; this page's own origin where it is left out. */
  base?: string;
  /** An `Authorization` header for programs, in the place of a session. */
  authorization?: string;
  fetch?: typeof globalThis.fetch;
  WebSocket?: typeof globalThis.WebSocket;
}

const RENEW_BEFORE_MS = 20_000;

/** Client of one gateway, for one user. */
export class SluiceClient {
  readonly #base: string;
  readonly #authorization: string | undefined;
  readonly #fetch: typeof globalThis.fetch;
  readonly #live: LiveHost;
  #liveUrl: string | null = null;
  #token = "";
  #tokenEnds = 0;
  #minting: Promise<void> | null = null;
  /** The user whose session it is, once that is known. */
  #user: string | null = null;
  #mintedFor: Me | null = null;

  constructor(options: Options = {}) {
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
  async logIn(credentials: Credentials): Promise<void> {
    this.#user = null;
    const tokens = (await this.#call("POST", "/auth/login", { body: credentials, anonymous: true })) as {
      access_token: string;
      expires_in: number;
    };
    this.#keep(tokens);
    await this.#call("POST", "/auth/session", {});
  }

  /** How people come in, besides by a password. */
  async waysIn(): Promise<WaysIn> {
    return (await this.#call("GET", "/auth/providers", { anonymous: true })) as WaysIn;
  }

  /** Ask for an account; a mail with a link goes to the address. */
  async signUp(person: { email: string; full_name: string; password: string }): Promise<void> {
    await this.#call("POST", "/auth/signup", { body: person, anonymous: true });
  }

  /** Become a user, by the token of the mail's link; returns the name to log in by. */
  async confirmSignUp(token: string): Promise<string> {
    const made = await this.#call("POST", "/auth/signup/verify", { body: { token }, anonymous: true });
    return (made as { username: string }).username;
  }

  /** Ask for a new password; a mail with a link goes to the address, if it is a user's. */
  async forgotPassword(email: string): Promise<void> {
    await this.#call("POST", "/auth/password/forgot", { body: { email }, anonymous: true });
  }

  /** Set a new password, by the token of the mail's link. All log-ins of the user end. */
  async resetPassword(token: string, password: string): Promise<void> {
    const body = { token, new_password: password };
    await this.#call("POST", "/auth/password/reset", { body, anonymous: true });
  }

  /**
   * Begin a log-in by a provider (RFC 7636).
   *
   * @param returnTo this page's origin with `/`, or one of the gateway's `GATEWAY_LOGIN_RETURN_URLS`.
   */
  async beginProviderLogIn(provider: Provider, returnTo: string): Promise<ProviderLogIn> {
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
  async endProviderLogIn(begun: ProviderLogIn, code: string): Promise<void> {
    this.#user = null;
    const form = new URLSearchParams({
      grant_type: "authorization_code",
      code,
      code_verifier: begun.verifier,
      redirect_uri: begun.returnTo,
    });
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const call = { text: String(form), headers, anonymous: true };
    this.#keep(
      (await this.#call("POST", "/oauth/token", call)) as { access_token: string; expires_in: number },
    );
    await this.#call("POST", "/auth/session", {});
  }

  /**
   * Begin a second factor, which counts once it is confirmed; its key is for an authenticator.
   *
   * @param ticket of a `factor_required` without a factor; null for a user whose log-in is no older than five minutes.
   */
  async beginFactor(ticket: string | null = null): Promise<{ secret: string; uri: string }> {
    const call = { body: ticket === null ? {} : { ticket }, anonymous: ticket !== null };
    return (await this.#call("POST", "/auth/totp", call)) as { secret: string; uri: string };
  }

  /** Confirm a second factor with a first code; returns the recovery codes, which can be had this once. */
  async confirmFactor(code: string, ticket: string | null = null): Promise<string[]> {
    const call = { body: ticket === null ? { code } : { code, ticket }, anonymous: ticket !== null };
    const answer = await this.#call("POST", "/auth/totp/confirm", call);
    return (answer as { recovery_codes: string[] }).recovery_codes;
  }

  /** End the session, and its log-in with all tokens. */
  async logOut(): Promise<void> {
    this.#token = "";
    this.#user = null;
    await this.#call("DELETE", "/auth/session", { anonymous: true });
  }

  /** Who the caller is. */
  async me(): Promise<Me> {
    let me: Me | null = null;
    if (!this.#authorization && this.#isTokenOver()) {
      // The token of a session comes with whom it is for.
      await this.#mint(false);
      me = this.#mintedFor;
    }
    me ??= (await this.#call("GET", "/auth/me", {})) as Me;
    this.#user = me.username;
    const own = this.#base || globalThis.location?.origin || "";
    this.#liveUrl = me.live_url ?? own.replace(/^http/, "ws");
    return me;
  }

  /** Your inbox from a number on, in the order of the numbers; the newest fifty are those after `last` - 50. */
  async inbox(after: number, size = 50): Promise<InboxPage> {
    return this.#inbox(after, size, false);
  }

  async #inbox(after: number, size: number, isIdle: boolean): Promise<InboxPage> {
    const parameters = new URLSearchParams({ after: String(after), size: String(size) });
    return (await this.#call("GET", `/notifications?${parameters}`, { isIdle })) as unknown as InboxPage;
  }

  /** Mark notifications as read, all up to a number or these alone; returns how many are unread then. */
  async markRead(which: { up_to: number } | { numbers: number[] }): Promise<number> {
    return ((await this.#call("POST", "/notifications/read", { body: which })) as { unread: number }).unread;
  }

  /**
   * Your notifications as they come; `close()` it.
   *
   * @param since the number of the last one that you have; null for those that are new from now on.
   */
  notifications(since: number | null = null): Notifications {
    return new Notifications(this.#live, since);
  }

  /** The audit trail as it is written, for auditors; `close()` it. Each opening is on the trail itself. */
  tail(filter: TailFilter = {}): Tail {
    return new Tail(this.#live, filter);
  }

  /** Search one page. */
  async search(search: Search, signal?: AbortSignal): Promise<Page> {
    const page = (await this.#call("POST", "/search", { body: search, query: search.query, signal })) as Page;
    return { ...page, notices: utf16Notices(search.query, page.notices) };
  }

  /** Read on page by page over one snapshot, to any depth. One that is left before its end is given up. */
  async *pages(search: Search, signal?: AbortSignal): AsyncGenerator<Page, void, void> {
    let cursor: string | null = search.cursor ?? "start";
    try {
      while (cursor !== null) {
        const page: Page = await this.search({ ...search, cursor }, signal);
        cursor = page.next;
        yield page;
      }
    } finally {
      if (cursor !== null && cursor !== "start") await this.closeCursor(cursor);
    }
  }

  /** Give up a snapshot that is not read to its end. A failure is none of the caller's: it ends by itself in two minutes. */
  async closeCursor(cursor: string): Promise<void> {
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
  async *stream(search: Omit<Search, "size" | "page" | "cursor" | "explain">, signal?: AbortSignal) {
    const response = await this.#send("POST", "/search", {
      body: search,
      query: search.query,
      signal,
      accept: "application/x-ndjson",
    });
    const queryId = response.headers.get("X-Query-ID");
    for await (const line of lines(response)) {
      const document = parseJson(line) as Document;
      const problem = document.problem as unknown as ProblemBody | undefined;
      if (problem?.query_id !== undefined && problem.query_id === queryId) {
        throw new SluiceProblem(problem, null, search.query);
      }
      yield document;
    }
  }

  /** What can stand at a place of a query. */
  async complete(query: string, cursor: number, index?: string, signal?: AbortSignal): Promise<Completion> {
    const body = { query, cursor: toCodePoints(query, cursor), ...(index && { index }) };
    const answer = (await this.#call("POST", "/complete", { body, query, signal })) as Completion;
    return { ...answer, start: toUtf16(query, answer.start), end: toUtf16(query, answer.end) };
  }

  /** The Elasticsearch query that a query becomes, and its canonical form. */
  async translate(query: string, index?: string, signal?: AbortSignal): Promise<Translation> {
    const body = { query, ...(index && { index }) };
    const answer = (await this.#call("POST", "/translate", { body, query, signal })) as Translation;
    return { ...answer, notices: utf16Notices(query, answer.notices) };
  }

  /** The fields of an index that a query can name. */
  async fields(index?: string, signal?: AbortSignal): Promise<{ index: string; fields: Field[] }> {
    const parameters = index ? `?${new URLSearchParams({ index })}` : "";
    return (await this.#call("GET", `/fields${parameters}`, { signal })) as {
      index: string;
      fields: Field[];
    };
  }

  /** Your own searches as the audit trail has them, the newest first; `next` of a page goes into `before`. */
  async history(before?: string, signal?: AbortSignal): Promise<HistoryPage> {
    const parameters = new URLSearchParams({ kind: "query", ...(before && { before }) });
    return (await this.#call("GET", `/history?${parameters}`, { signal })) as HistoryPage;
  }

  /** The address of a download, good once and for 30 seconds: for a link, which can send no header. */
  async download(
    search: Omit<Search, "size" | "page" | "cursor">,
    format: "csv" | "ndjson",
  ): Promise<string> {
    const ticket = await this.#ticket("download", { search, format }, { query: search.query });
    return `${this.#base}/downloads/${encodeURIComponent(ticket)}`;
  }

  /** The types of the inventory that the caller may read. */
  async inventoryTypes(): Promise<InventoryType[]> {
    return ((await this.#call("GET", "/inventory-types", {})) as { types: InventoryType[] }).types;
  }

  /** Search the documents of a type. */
  async documents(type: string, query: string, cursor?: string): Promise<Page> {
    const parameters = new URLSearchParams({ q: query, ids: "true", ...(cursor && { cursor }) });
    const path = `/inventory/${encodeURIComponent(type)}?${parameters}`;
    return (await this.#call("GET", path, { query })) as Page;
  }

  /** Read a document of the inventory, as it is now. */
  async document(type: string, id: string): Promise<Stored> {
    return this.#stored("GET", documentPath(type, id), {});
  }

  /**
   * Create a document, or replace the version that was read.
   *
   * @param document the document, or its JSON text.
   * @param etag of the version that was read; null for a document that is not there.
   * @throws {SluiceProblem} `document_invalid` with `errors`; `precondition_failed` if another version is there.
   */
  async putDocument(type: string, id: string, document: Document | string, etag: string | null) {
    const headers: Record<string, string> = etag === null ? { "If-None-Match": "*" } : { "If-Match": etag };
    return this.#stored("PUT", documentPath(type, id), { text: textOf(document), headers });
  }

  /**
   * Create a document under the key that is in it, or under a new id; gives its id as well.
   *
   * @param above type and id of the document that it stands below.
   */
  async createDocument(
    type: string,
    document: Document | string,
    above?: { type: string; id: string },
  ): Promise<Stored & { id: string }> {
    const path = `${above ? documentPath(above.type, above.id) : "/inventory"}/${encodeURIComponent(type)}`;
    const response = await this.#send("POST", path, { text: textOf(document) });
    const id = decodeURIComponent(response.headers.get("Location")?.split("/").pop() ?? "");
    return { ...(await asStored(response)), id };
  }

  /** Delete the version of a document that was read. */
  async deleteDocument(type: string, id: string, etag: string): Promise<void> {
    await this.#call("DELETE", documentPath(type, id), { headers: { "If-Match": etag } });
  }

  /** The versions of a document, the newest first, also of one that was deleted. */
  async versions(type: string, id: string, before?: number): Promise<Versions> {
    const parameters = before === undefined ? "" : `?before=${before}`;
    return (await this.#call("GET", `${documentPath(type, id)}/history${parameters}`, {})) as Versions;
  }

  /** One version of a document; its `document` is null if it is a deletion, or was erased. */
  async version(type: string, id: string, version: number): Promise<Version & { document: Document | null }> {
    const path = `${documentPath(type, id)}/history/${version}`;
    return (await this.#call("GET", path, {})) as Version & { document: Document | null };
  }

  /** Restore a version of a document as a new one; `etag` is null for a document that was deleted. */
  async restoreDocument(type: string, id: string, version: number, etag: string | null): Promise<Stored> {
    const headers: Record<string, string> = etag === null ? {} : { "If-Match": etag };
    return this.#stored("POST", `${documentPath(type, id)}/restore`, { body: { version }, headers });
  }

  /** The documents of a type that stand below another document, in the order of their ids. */
  async children(type: string, id: string, childType: string, after?: string) {
    const parameters = after ? `?${new URLSearchParams({ after })}` : "";
    const path = `${documentPath(type, id)}/${encodeURIComponent(childType)}${parameters}`;
    return (await this.#call("GET", path, {})) as { results: Child[]; next?: string };
  }

  /** Users by name, for administrators; `next` of a page goes into `after`. */
  async users(after?: string): Promise<{ users: User[]; next: string | null }> {
    const parameters = after ? `?${new URLSearchParams({ after })}` : "";
    return (await this.#call("GET", `/auth/users${parameters}`, {})) as {
      users: User[];
      next: string | null;
    };
  }

  /** Notifications on their way by mail or webhook: one's own, for administrators everybody's. */
  async deliveries(
    state: Delivery["state"],
    after?: string,
  ): Promise<{ deliveries: Delivery[]; next: string | null }> {
    const parameters = new URLSearchParams({ state, ...(after && { after }) });
    return (await this.#call("GET", `/deliveries?${parameters}`, {})) as {
      deliveries: Delivery[];
      next: string | null;
    };
  }

  /** Send a delivery again. */
  async resend(delivery: string): Promise<void> {
    await this.#call("POST", `/deliveries/${encodeURIComponent(delivery)}/resend`, {});
  }

  /**
   * Saved searches, the newest first: one's own and those that are shared with one.
   *
   * @param before `next` of the page before.
   * @param which `mine` is one's own alone; `orphaned`, for administrators, what users who were deleted had shared.
   */
  async savedSearches(before?: string | null, which: KeptWhich = "all") {
    const path = `/searches/?${keptParameters(before, which)}`;
    return (await this.#call("GET", path, {})) as { searches: SearchSummary[]; next: string | null };
  }

  /** A saved search; its `version` is what a change takes. */
  async savedSearch(id: string): Promise<SavedSearch> {
    return (await this.#call("GET", searchPath(id), {})) as SavedSearch;
  }

  /** Save a search. */
  async saveSearch(search: SearchMembers): Promise<SavedSearch> {
    return (await this.#call("POST", "/searches/", { body: search })) as SavedSearch;
  }

  /**
   * Change members of a saved search.
   *
   * @throws {SluiceProblem} `precondition_failed` if another version than that one is there.
   */
  async changeSearch(id: string, members: Partial<SearchMembers>, version: number): Promise<SavedSearch> {
    return (await this.#call("PATCH", searchPath(id), patch(members, version))) as SavedSearch;
  }

  /** Delete the version of a saved search that was read. */
  async deleteSearch(id: string, version: number): Promise<void> {
    await this.#call("DELETE", searchPath(id), matching(version));
  }

  /** Be told of new and gone documents of a saved search, which is looked at every so many seconds. */
  async watch(id: string, interval?: number): Promise<Watch> {
    const body = interval === undefined ? {} : { interval };
    return (await this.#call("PUT", `${searchPath(id)}/watch`, { body })) as Watch;
  }

  async endWatch(id: string): Promise<void> {
    await this.#call("DELETE", `${searchPath(id)}/watch`, {});
  }

  /** Collections of saved searches; the parameters are those of `savedSearches`. */
  async collections(before?: string | null, which: KeptWhich = "all") {
    const path = `/collections/?${keptParameters(before, which)}`;
    return (await this.#call("GET", path, {})) as { collections: Collection[]; next: string | null };
  }

  async collection(id: string): Promise<Collection> {
    return (await this.#call("GET", collectionPath(id), {})) as Collection;
  }

  async makeCollection(collection: CollectionMembers): Promise<Collection> {
    return (await this.#call("POST", "/collections/", { body: collection })) as Collection;
  }

  /** Change members of a collection; throws as `changeSearch` does. */
  async changeCollection(id: string, members: Partial<CollectionMembers>, version: number) {
    return (await this.#call("PATCH", collectionPath(id), patch(members, version))) as Collection;
  }

  /** Delete the version of a collection that was read; its searches stay. */
  async deleteCollection(id: string, version: number): Promise<void> {
    await this.#call("DELETE", collectionPath(id), matching(version));
  }

  /** Put a search into a collection, or elsewhere in it: before another one, or at the end. */
  async putIntoCollection(id: string, search: string, version: number, before: string | null = null) {
    const path = `${collectionPath(id)}/searches/${encodeURIComponent(search)}`;
    return (await this.#call("PUT", path, { ...matching(version), body: { before } })) as Collection;
  }

  async takeFromCollection(id: string, search: string, version: number) {
    const path = `${collectionPath(id)}/searches/${encodeURIComponent(search)}`;
    return (await this.#call("DELETE", path, matching(version))) as Collection;
  }

  async #stored(method: string, path: string, call: Call): Promise<Stored> {
    return asStored(await this.#send(method, path, call));
  }

  async #ticket(kind: string, more: object, call: Call): Promise<string> {
    const body = { for: kind, ...more };
    return ((await this.#call("POST", "/auth/tickets", { ...call, body })) as { ticket: string }).ticket;
  }

  async #liveAddress(path: string): Promise<string> {
    if (this.#liveUrl === null) await this.me();
    return `${this.#liveUrl}${path}`;
  }

  #isTokenOver(): boolean {
    return Date.now() > this.#tokenEnds - RENEW_BEFORE_MS;
  }

  #keep(tokens: { access_token: string; expires_in: number }): void {
    this.#token = tokens.access_token;
    this.#tokenEnds = Date.now() + tokens.expires_in * 1000;
  }

  async #mint(isIdle: boolean): Promise<void> {
    this.#minting ??= this.#mintOne(isIdle).finally(() => {
      this.#minting = null;
    });
    await this.#minting;
  }

  async #mintOne(isIdle: boolean): Promise<void> {
    const call: Call = { ...(isIdle && { body: { idle: true } }), anonymous: true };
    const tokens = (await this.#call("POST", "/auth/session/token", call)) as {
      access_token: string;
      expires_in: number;
      me: Me;
    };
    // Tabs share a cookie: after a log-in in another one it may be somebody else's.
    if (this.#user !== null && this.#user !== tokens.me.username) {
      const detail = "Somebody else has logged in in this browser.";
      throw new SluiceProblem({ status: 401, code: "unauthenticated", detail }, null, "");
    }
    this.#keep(tokens);
    this.#mintedFor = tokens.me;
  }

  async #call(method: string, path: string, call: Call): Promise<unknown> {
    const response = await this.#send(method, path, call);
    if (response.status === 204) return null;
    return parseJson(await read(() => response.text()));
  }

  async #send(method: string, path: string, call: Call, again = false): Promise<Response> {
    const text = call.text ?? (call.body === undefined ? null : JSON.stringify(call.body));
    const headers: Record<string, string> = { Accept: call.accept ?? "application/json", ...call.headers };
    if (text !== null) headers["Content-Type"] ??= "application/json";
    if (!call.anonymous) {
      if (!this.#authorization && this.#isTokenOver()) await this.#mint(call.isIdle ?? false);
      headers.Authorization = this.#authorization ?? `Bearer ${this.#token}`;
    }
    call.signal?.throwIfAborted();
    const response = await read(() =>
      this.#fetch(this.#base + path, {
        method,
        headers,
        body: text,
        signal: call.signal ?? null,
        cache: "no-store",
        keepalive: call.keepalive ?? false,
        redirect: "error",
      }),
    );
    if (response.ok) return response;
    if (response.status === 401 && !call.anonymous && !this.#authorization && !again) {
      // The token has ended before its time, as after a restart; the session may be good still.
      this.#tokenEnds = 0;
      return this.#send(method, path, call, true);
    }
    throw await asProblem(response, call.query ?? "");
  }
}

interface Call {
  body?: unknown;
  /** The body's text, in the place of `body`. */
  text?: string;
  headers?: Record<string, string>;
  query?: string;
  signal?: AbortSignal | undefined;
  accept?: string;
  keepalive?: boolean;
  /** Without an access token: by the cookie, or by what is in the body. */
  anonymous?: boolean;
  /** Nobody has asked for it: the session lasts no longer by it. */
  isIdle?: boolean;
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
/** 256 bits that nobody can guess. */
const secret = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)));

const searchPath = (id: string): string => `/searches/${encodeURIComponent(id)}`;
const collectionPath = (id: string): string => `/collections/${encodeURIComponent(id)}`;
const matching = (version: number): Call => ({ headers: { "If-Match": `"${version}"` } });
const patch = (body: object, version: number): Call => ({
  body,
  headers: { ...matching(version).headers, "Content-Type": "application/merge-patch+json" },
});
const keptParameters = (before: string | null | undefined, which: KeptWhich): URLSearchParams =>
  new URLSearchParams({
    size: "100",
    ...(before && { before }),
    ...(which !== "all" && { [which]: "true" }),
  });

const documentPath = (type: string, id: string): string =>
  `/inventory/${encodeURIComponent(type)}/${encodeURIComponent(id)}`;
const textOf = (document: Document | string): string =>
  typeof document === "string" ? document : writeJson(document);

async function asStored(response: Response): Promise<Stored> {
  const document = parseJson(await read(() => response.text())) as Document;
  return { document, etag: response.headers.get("ETag") ?? "" };
}

async function read<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new SluiceUnreachable("The gateway cannot be reached.", { cause: error });
  }
}

async function asProblem(response: Response, query: string): Promise<SluiceProblem> {
  const after = Number(response.headers.get("Retry-After"));
  let body: ProblemBody | null = null;
  try {
    body = JSON.parse(await response.text()) as ProblemBody;
  } catch {
    // The HTTP server's own answers have no body.
  }
  return new SluiceProblem(
    typeof body?.code === "string"
      ? body
      : { status: response.status, code: "internal", detail: `Status ${response.status}.` },
    after > 0 ? after : null,
    query,
  );
}

async function* lines(response: Response): AsyncGenerator<string, void, void> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    while (true) {
      const { done, value } = await read(() => reader.read());
      if (done) break;
      const parts = (rest + value).split("\n");
      rest = parts.pop() ?? "";
      yield* parts.filter((part) => part !== "");
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  if (rest !== "") yield rest;
}

function utf16Notices(query: string, notices: Notice[]): Notice[] {
  return notices.map((each) => ({
    ...each,
    position: toUtf16(query, each.position),
    end: toUtf16(query, each.end),
  }));
}

/** A position in code points as one in UTF-16 units. */
export function toUtf16(text: string, codePoints: number): number {
  let units = 0;
  for (let left = codePoints; left > 0 && units < text.length; left--) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  }
  return units;
}

/** A position in UTF-16 units as one in code points; half a pair counts as the whole. */
export function toCodePoints(text: string, units: number): number {
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
export function parseJson(text: string): Json {
  return JSON.parse(text, (_name: string, value: unknown, context?: { source?: string }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && LONG_INTEGER.test(context?.source ?? "")
      ? BigInt(context?.source ?? value)
      : value,
  ) as Json;
}

const raw = (JSON as unknown as { rawJSON?: (text: string) => unknown }).rawJSON;

/** The JSON text of a value that `parseJson` has read. */
export function writeJson(value: Json, indent = 0): string {
  return JSON.stringify(
    value,
    (_name, each: unknown) => (typeof each === "bigint" ? (raw?.(String(each)) ?? String(each)) : each),
    indent,
  );
}
