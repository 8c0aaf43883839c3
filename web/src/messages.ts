/** Every text of the page. */

export interface Advice {
  title: string;
  next: string;
}

/** What an error's code means to somebody at the page, and what to do. The server's own words come below it. */
export const PROBLEMS: Record<string, Advice> = {
  syntax: { title: "This is not a query yet", next: "Mend it where the line is, or take a suggestion." },
  unknown_field: {
    title: "There is no such field",
    next: "Take a suggestion, or press Ctrl+Space for the list.",
  },
  unsupported_operator: {
    title: "This field cannot be compared like that",
    next: "Use an operator that the field has.",
  },
  type_mismatch: { title: "The value does not fit the field", next: "Write a value of the field's type." },
  too_complex: { title: "The query is too complex", next: "Ask for less at a time." },
  malformed: {
    title: "The request is not as it should be",
    next: "Check sort and columns; load the page again if it stays.",
  },
  unsupported_media_type: { title: "The request is not as it should be", next: "Load the page again." },
  too_large: { title: "The query is too long", next: "Shorten it below 1 MiB." },
  unauthenticated: { title: "You are not logged in", next: "Log in; what you typed stays." },
  token_expired: { title: "Your session has ended", next: "Log in; what you typed stays." },
  factor_required: { title: "A code is needed", next: "Enter the code of your authenticator." },
  forbidden: { title: "You may not do this", next: "Choose another index, or ask an administrator." },
  not_found: { title: "There is nothing here", next: "Choose another index." },
  cursor_expired: {
    title: "The snapshot has ended",
    next: "It is kept for two minutes. Run the search again to read on.",
  },
  gone: { title: "The document has been deleted", next: "Its history is still there." },
  precondition_failed: { title: "Somebody else changed it", next: "Compare both versions, then save again." },
  precondition_required: { title: "The version is missing", next: "Read it again, then save." },
  document_invalid: { title: "The schema does not allow this", next: "Mend the members that are marked." },
  idempotency_mismatch: { title: "Another request had this key", next: "Try again." },
  schema_incompatible: {
    title: "Documents do not fit the schema",
    next: "Change the schema or the documents.",
  },
  referential: { title: "Another document is in the way", next: "Change that document first." },
  tree_too_large: { title: "The document is too large", next: "Split it." },
  index_behind: { title: "The index is still catching up", next: "Try again in a moment." },
  feed_expired: { title: "These changes are no longer kept", next: "Read the documents anew." },
  throttled: { title: "Too many requests", next: "Wait a moment, then try again." },
  overloaded: { title: "The gateway is busy", next: "Wait a moment, then try again." },
  search_unavailable: {
    title: "The search engine does not answer",
    next: "Try again in a moment. Nothing you typed is lost.",
  },
  translator_unavailable: {
    title: "Queries cannot be read just now",
    next: "Try again in a moment. Nothing you typed is lost.",
  },
  audit_unavailable: {
    title: "The search could not be recorded",
    next: "What is not recorded is not answered. Try again in a moment.",
  },
  deadline: { title: "The search took too long", next: "Ask for less, or try again." },
  internal: {
    title: "The gateway failed",
    next: "Try again; give your administrator the receipt if it stays.",
  },
  unreachable: {
    title: "The gateway cannot be reached",
    next: "Check your network, then try again. Nothing you typed is lost.",
  },
  offline: {
    title: "You are offline",
    next: "Connect to the network, then try again. Nothing you typed is lost.",
  },
  fault: { title: "The page failed", next: "Load it again; the address keeps your search." },
};

export const adviceFor = (code: string): Advice => PROBLEMS[code] ?? (PROBLEMS.internal as Advice);

const plural = (count: number, one: string, many: string): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

export const TEXT = {
  product: "Sluice",
  tagline: "Search your assets. Every search is on record.",
  username: "User name or mail address",
  password: "Password",
  code: "Code of your authenticator, or a recovery code",
  logIn: "Log in",
  loggingIn: "Logging in…",
  wrongPassword: "Name or password is wrong.",
  wrongCode: "The code is wrong or was used. Try the next one.",
  enrolFirst:
    "Your role needs a second factor, which you have not set up. Ask your administrator how (POST /auth/totp).",
  back: "Back",
  sessionEnded: "Your session has ended. Log in again: what you typed is still here.",
  logOut: "Log out",
  search: "Search",
  history: "History",
  administration: "Administration",
  apiDocs: "API",
  skip: "Skip to the results",
  index: "Index",
  query: "Query",
  queryHelp: "Enter runs it. Ctrl+Space completes, Tab accepts, Escape closes.",
  placeholder: "OS.Type = Linux AND LastSeen >= now-7d — or nothing, for everything",
  run: "Search",
  running: "Searching…",
  format: "Format",
  formatTitle: "Write the query in its canonical form",
  showDsl: "DSL",
  dslTitle: "The Elasticsearch query that this query becomes",
  columns: "Columns",
  columnsFilter: "Find a column",
  apply: "Done",
  resetColumns: "Reset",
  moveLeft: (name: string) => `Move ${name} to the left`,
  moveRight: (name: string) => `Move ${name} to the right`,
  widthOf: (name: string) => `Width of ${name}`,
  download: "Download",
  downloadTitle: "All rows, chosen columns, as a file",
  downloadStarted: "The download has begun.",
  copyLink: "Copy link",
  plainTable: "Plain table",
  linkCopied: "The link is copied.",
  copied: "Copied.",
  copy: "Copy",
  close: "Close",
  tryAgain: "Try again",
  runAgain: "Run again",
  useInstead: (text: string) => `Use ${text}`,
  fixKey: "Alt+Enter",
  received: (count: number, relation: "eq" | "gte") =>
    relation === "gte"
      ? `more than ${plural(count, "document", "documents")}`
      : plural(count, "document", "documents"),
  took: (milliseconds: number) => `${milliseconds.toLocaleString("en")} ms`,
  receipt: "Receipt",
  receiptTitle: "The id of this search on the audit trail. Click to copy.",
  shown: (count: number, total: number) =>
    `${count.toLocaleString("en")} of ${total.toLocaleString("en")} rows read`,
  readingOn: "Reading on…",
  allRead: (count: number) => `${plural(count, "row", "rows")}, all read, of one snapshot`,
  nothing: "Nothing matches",
  nothingNext: "Take a condition away, or use a wildcard: Hostname = web*",
  start: "What are you looking for?",
  startNext: "Begin with a field, or press Enter for everything.",
  noIndices: "No index is granted to you. Ask an administrator.",
  fieldsOf: (index: string) => `Fields of ${index}`,
  document: "Document",
  details: (row: number) => `Details of row ${row}`,
  filterEqual: "Only these",
  filterNotEqual: "Not these",
  filterOf: (field: string) => `Filter by ${field}`,
  results: "Results",
  notices: "Notes on the query",
  times: (zone: string) => `Times: ${zone}`,
  historyTitle: "Your searches",
  historyNext: "As the audit trail has them.",
  historyEmpty: "No searches yet",
  historyEmptyNext: "What you search appears here, as the audit trail has it.",
  everything: "(everything)",
  more: "More",
  loading: "Loading…",
  slow: "This takes longer than usual…",
  cancel: "Cancel",
} as const;
