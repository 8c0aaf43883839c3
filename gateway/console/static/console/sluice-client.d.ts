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
}
export type Credentials = {
    username: string;
    password: string;
} | {
    ticket: string;
    code: string;
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
    constructor(body: ProblemBody, retryAfter: number | null, query: string);
}
/** No answer: the gateway cannot be reached. */
export declare class SluiceUnreachable extends Error {
    readonly name = "SluiceUnreachable";
}
export interface Options {
    /** Where the gateway is; this page's own origin where it is left out. */
    base?: string;
    /** An `Authorization` header for programs, in the place of a session. */
    authorization?: string;
    fetch?: typeof globalThis.fetch;
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
    /** End the session, and its log-in with all tokens. */
    logOut(): Promise<void>;
    /** Who the caller is. */
    me(): Promise<Me>;
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
export {};
