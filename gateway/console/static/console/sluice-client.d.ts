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
import { type InboxPage, Notifications, Tail, type TailFilter } from "./live.ts";
/** A value of JSON; integers beyond 2^53 are `bigint`, so that none is rounded. */
export type Json = null | boolean | number | bigint | string | Json[] | {
    [name: string]: Json;
};
/** A document as the index has it. */
export type Document = {
    [name: string]: Json;
};
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
export type Collection = Kept & Required<Omit<CollectionMembers, "users">> & Pick<CollectionMembers, "users"> & {
    searches: string[];
};
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
export type Credentials = {
    username: string;
    password: string;
}
/** The verifier is that of a log-in by a provider whose window brought the ticket. */
 | {
    ticket: string;
    code: string;
    code_verifier?: string;
};
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
export declare class SluiceProblem extends Error {
    readonly name = "SluiceProblem";
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
    constructor(body: ProblemBody, retryAfter: number | null, query: string);
}
/** No answer: the gateway cannot be reached. */
export declare class SluiceUnreachable extends Error {
    readonly name = "SluiceUnreachable";
}
export type { InboxPage, LiveState, Notification, Notifications, Tail, TailAccount, TailEvent, TailFilter, } from "./live.ts";
export interface Options {
    /** Where the gateway is; this page's own origin where it is left out. */
    base?: string;
    /** An `Authorization` header for programs, in the place of a session. */
    authorization?: string;
    fetch?: typeof globalThis.fetch;
    WebSocket?: typeof globalThis.WebSocket;
}
/** Client of one gateway, for one user. */
export declare class SluiceClient {
    #private;
    constructor(options?: Options);
    /**
     * Log in and begin a session, whose cookie no script can read.
     *
     * @throws {SluiceProblem} `factor_required` with a `ticket`: call again with it and a code of the authenticator.
     */
    logIn(credentials: Credentials): Promise<void>;
    /** How people come in, besides by a password. */
    waysIn(): Promise<WaysIn>;
    /** Ask for an account; a mail with a link goes to the address. */
    signUp(person: {
        email: string;
        full_name: string;
        password: string;
    }): Promise<void>;
    /** Become a user, by the token of the mail's link; returns the name to log in by. */
    confirmSignUp(token: string): Promise<string>;
    /** Ask for a new password; a mail with a link goes to the address, if it is a user's. */
    forgotPassword(email: string): Promise<void>;
    /** Set a new password, by the token of the mail's link. All log-ins of the user end. */
    resetPassword(token: string, password: string): Promise<void>;
    /**
     * Begin a log-in by a provider (RFC 7636).
     *
     * @param returnTo this page's origin with `/`, or one of the gateway's `GATEWAY_LOGIN_RETURN_URLS`.
     */
    beginProviderLogIn(provider: Provider, returnTo: string): Promise<ProviderLogIn>;
    /** End a log-in by a provider with the code that came back, and begin a session. */
    endProviderLogIn(begun: ProviderLogIn, code: string): Promise<void>;
    /**
     * Begin a second factor, which counts once it is confirmed; its key is for an authenticator.
     *
     * @param ticket of a `factor_required` without a factor; null for a user whose log-in is no older than five minutes.
     */
    beginFactor(ticket?: string | null): Promise<{
        secret: string;
        uri: string;
    }>;
    /** Confirm a second factor with a first code; returns the recovery codes, which can be had this once. */
    confirmFactor(code: string, ticket?: string | null): Promise<string[]>;
    /** End the session, and its log-in with all tokens. */
    logOut(): Promise<void>;
    /** Who the caller is. */
    me(): Promise<Me>;
    /** Your inbox from a number on, in the order of the numbers; the newest fifty are those after `last` - 50. */
    inbox(after: number, size?: number): Promise<InboxPage>;
    /** Mark notifications as read, all up to a number or these alone; returns how many are unread then. */
    markRead(which: {
        up_to: number;
    } | {
        numbers: number[];
    }): Promise<number>;
    /**
     * Your notifications as they come; `close()` it.
     *
     * @param since the number of the last one that you have; null for those that are new from now on.
     */
    notifications(since?: number | null): Notifications;
    /** The audit trail as it is written, for auditors; `close()` it. Each opening is on the trail itself. */
    tail(filter?: TailFilter): Tail;
    /** Search one page. */
    search(search: Search, signal?: AbortSignal): Promise<Page>;
    /** Read on page by page over one snapshot, to any depth. One that is left before its end is given up. */
    pages(search: Search, signal?: AbortSignal): AsyncGenerator<Page, void, void>;
    /** Give up a snapshot that is not read to its end. A failure is none of the caller's: it ends by itself in two minutes. */
    closeCursor(cursor: string): Promise<void>;
    /**
     * All documents that match, one after the other, however many there are.
     *
     * @throws {SluiceProblem} also on the way: what came before it is good.
     */
    stream(search: Omit<Search, "size" | "page" | "cursor" | "explain">, signal?: AbortSignal): AsyncGenerator<Document, void, unknown>;
    /** What can stand at a place of a query. */
    complete(query: string, cursor: number, index?: string, signal?: AbortSignal): Promise<Completion>;
    /** The Elasticsearch query that a query becomes, and its canonical form. */
    translate(query: string, index?: string, signal?: AbortSignal): Promise<Translation>;
    /** The fields of an index that a query can name. */
    fields(index?: string, signal?: AbortSignal): Promise<{
        index: string;
        fields: Field[];
    }>;
    /** Your own searches as the audit trail has them, the newest first; `next` of a page goes into `before`. */
    history(before?: string, signal?: AbortSignal): Promise<HistoryPage>;
    /** The address of a download, good once and for 30 seconds: for a link, which can send no header. */
    download(search: Omit<Search, "size" | "page" | "cursor">, format: "csv" | "ndjson"): Promise<string>;
    /** The types of the inventory that the caller may read. */
    inventoryTypes(): Promise<InventoryType[]>;
    /** Search the documents of a type. */
    documents(type: string, query: string, cursor?: string): Promise<Page>;
    /** Read a document of the inventory, as it is now. */
    document(type: string, id: string): Promise<Stored>;
    /**
     * Create a document, or replace the version that was read.
     *
     * @param document the document, or its JSON text.
     * @param etag of the version that was read; null for a document that is not there.
     * @throws {SluiceProblem} `document_invalid` with `errors`; `precondition_failed` if another version is there.
     */
    putDocument(type: string, id: string, document: Document | string, etag: string | null): Promise<Stored>;
    /**
     * Create a document under the key that is in it, or under a new id; gives its id as well.
     *
     * @param above type and id of the document that it stands below.
     */
    createDocument(type: string, document: Document | string, above?: {
        type: string;
        id: string;
    }): Promise<Stored & {
        id: string;
    }>;
    /** Delete the version of a document that was read. */
    deleteDocument(type: string, id: string, etag: string): Promise<void>;
    /** The versions of a document, the newest first, also of one that was deleted. */
    versions(type: string, id: string, before?: number): Promise<Versions>;
    /** One version of a document; its `document` is null if it is a deletion, or was erased. */
    version(type: string, id: string, version: number): Promise<Version & {
        document: Document | null;
    }>;
    /** Restore a version of a document as a new one; `etag` is null for a document that was deleted. */
    restoreDocument(type: string, id: string, version: number, etag: string | null): Promise<Stored>;
    /** The documents of a type that stand below another document, in the order of their ids. */
    children(type: string, id: string, childType: string, after?: string): Promise<{
        results: Child[];
        next?: string;
    }>;
    /** Users by name, for administrators; `next` of a page goes into `after`. */
    users(after?: string): Promise<{
        users: User[];
        next: string | null;
    }>;
    /** Notifications on their way by mail or webhook: one's own, for administrators everybody's. */
    deliveries(state: Delivery["state"], after?: string): Promise<{
        deliveries: Delivery[];
        next: string | null;
    }>;
    /** Send a delivery again. */
    resend(delivery: string): Promise<void>;
    /**
     * Saved searches, the newest first: one's own and those that are shared with one.
     *
     * @param before `next` of the page before.
     * @param which `mine` is one's own alone; `orphaned`, for administrators, what users who were deleted had shared.
     */
    savedSearches(before?: string | null, which?: KeptWhich): Promise<{
        searches: SearchSummary[];
        next: string | null;
    }>;
    /** A saved search; its `version` is what a change takes. */
    savedSearch(id: string): Promise<SavedSearch>;
    /** Save a search. */
    saveSearch(search: SearchMembers): Promise<SavedSearch>;
    /**
     * Change members of a saved search.
     *
     * @throws {SluiceProblem} `precondition_failed` if another version than that one is there.
     */
    changeSearch(id: string, members: Partial<SearchMembers>, version: number): Promise<SavedSearch>;
    /** Delete the version of a saved search that was read. */
    deleteSearch(id: string, version: number): Promise<void>;
    /** Be told of new and gone documents of a saved search, which is looked at every so many seconds. */
    watch(id: string, interval?: number): Promise<Watch>;
    endWatch(id: string): Promise<void>;
    /** Collections of saved searches; the parameters are those of `savedSearches`. */
    collections(before?: string | null, which?: KeptWhich): Promise<{
        collections: Collection[];
        next: string | null;
    }>;
    collection(id: string): Promise<Collection>;
    makeCollection(collection: CollectionMembers): Promise<Collection>;
    /** Change members of a collection; throws as `changeSearch` does. */
    changeCollection(id: string, members: Partial<CollectionMembers>, version: number): Promise<Collection>;
    /** Delete the version of a collection that was read; its searches stay. */
    deleteCollection(id: string, version: number): Promise<void>;
    /** Put a search into a collection, or elsewhere in it: before another one, or at the end. */
    putIntoCollection(id: string, search: string, version: number, before?: string | null): Promise<Collection>;
    takeFromCollection(id: string, search: string, version: number): Promise<Collection>;
}
/** A position in code points as one in UTF-16 units. */
export declare function toUtf16(text: string, codePoints: number): number;
/** A position in UTF-16 units as one in code points; half a pair counts as the whole. */
export declare function toCodePoints(text: string, units: number): number;
/**
 * JSON with every integer exact. It takes a runtime that tells a number's text (Chrome 114, Firefox 135, Safari 18.4,
 * Node 22); an older one rounds integers beyond 2^53.
 */
export declare function parseJson(text: string): Json;
/** The JSON text of a value that `parseJson` has read. */
export declare function writeJson(value: Json, indent?: number): string;
