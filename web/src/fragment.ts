/** The page's state in the fragment of its address, so that a link restores everything and no server log has a query. */

export const PAGES = ["search", "saved", "history", "inventory", "live", "administration"] as const;
export type PageName = (typeof PAGES)[number];

export interface View {
  view: PageName;
  query: string;
  index: string;
  /** As the API takes it: names, with `-` before one for descending order. */
  sort: string[];
  columns: string[];
  /** Widths of the columns in pixels; 0 is the column's own. */
  widths: number[];
  /** Of the inventory's page: a type, and a document of it. Of the saved ones' page: a collection, and what is edited. */
  type: string;
  id: string;
}

export const EMPTY: View = {
  view: "search",
  query: "",
  index: "",
  sort: [],
  columns: [],
  widths: [],
  type: "",
  id: "",
};
const MAX_COLUMNS = 50;

export function readFragment(hash: string): View & { asked: boolean } {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const columns = given.getAll("col").slice(0, MAX_COLUMNS);
  const widths = (given.get("w") ?? "").split(",").map(Number);
  return {
    view: PAGES.find((each) => each === given.get("view")) ?? "search",
    query: given.get("q") ?? "",
    index: given.get("index") ?? "",
    sort: given.getAll("sort").filter(Boolean),
    columns: [...new Set(columns)],
    widths: columns.map((_, at) => {
      const width = widths[at] ?? 0;
      return Number.isInteger(width) && width >= 40 && width <= 2000 ? width : 0;
    }),
    type: given.get("type") ?? "",
    id: given.get("id") ?? "",
    asked: given.has("q"),
  };
}

/** What the link of a mail is for, and its token, which is as good as a password. */
export interface Mailed {
  kind: "reset" | "sign-up";
  token: string;
}

/** The link of a mail by which somebody has come; null for every other address. */
export function readMailed(hash: string): Mailed | null {
  const [, kind, token] = /^#(reset|sign-up)=([\w.-]+)$/.exec(hash) ?? [];
  return kind && token ? { kind: kind as Mailed["kind"], token } : null;
}

export function writeFragment(view: View): string {
  const fragment = new URLSearchParams();
  if (view.view !== "search") fragment.set("view", view.view);
  const isOfOne = view.view === "inventory" || view.view === "saved";
  if (isOfOne && view.type) fragment.set("type", view.type);
  if (isOfOne && view.id) fragment.set("id", view.id);
  fragment.set("q", view.query);
  if (view.index) fragment.set("index", view.index);
  for (const key of view.sort) fragment.append("sort", key);
  for (const column of view.columns) fragment.append("col", column);
  if (view.widths.some((width) => width > 0)) fragment.set("w", view.widths.join(","));
  return `#${fragment}`;
}
