/** The page's state in the fragment of its address, so that a link restores everything and no server log has a query. */

export interface View {
  view: "search" | "history";
  query: string;
  index: string;
  /** As the API takes it: `-` before a name for descending order. */
  sort: string;
  columns: string[];
  /** Widths of the columns in pixels; 0 is the column's own. */
  widths: number[];
}

export const EMPTY: View = { view: "search", query: "", index: "", sort: "", columns: [], widths: [] };
const MAX_COLUMNS = 50;

export function readFragment(hash: string): View & { asked: boolean } {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const columns = given.getAll("col").slice(0, MAX_COLUMNS);
  const widths = (given.get("w") ?? "").split(",").map(Number);
  return {
    view: given.get("view") === "history" ? "history" : "search",
    query: given.get("q") ?? "",
    index: given.get("index") ?? "",
    sort: given.get("sort") ?? "",
    columns: [...new Set(columns)],
    widths: columns.map((_, at) => {
      const width = widths[at] ?? 0;
      return Number.isInteger(width) && width >= 40 && width <= 2000 ? width : 0;
    }),
    asked: given.has("q"),
  };
}

export function writeFragment(view: View): string {
  const fragment = new URLSearchParams();
  if (view.view !== "search") fragment.set("view", view.view);
  fragment.set("q", view.query);
  if (view.index) fragment.set("index", view.index);
  if (view.sort) fragment.set("sort", view.sort);
  for (const column of view.columns) fragment.append("col", column);
  if (view.widths.some((width) => width > 0)) fragment.set("w", view.widths.join(","));
  return `#${fragment}`;
}
