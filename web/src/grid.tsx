/** The results as a grid whose rows are in the page only while they are in view. */
import { useSignal } from "@preact/signals";
import {
  defaultRangeExtractor,
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type Range,
  Virtualizer,
} from "@tanstack/virtual-core";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Field, Json } from "../client/sluice-client.ts";
import { cellText, conditionOf, exactText, isDate, isNumber, valuesAt, zone } from "./cells.ts";
import { TEXT } from "./messages.ts";
import {
  columns,
  copy,
  type Found,
  fieldByName,
  filterBy,
  opened,
  orderOf,
  readOn,
  sortBy,
  view,
} from "./state.ts";

const ROW = 34;
const READ_AHEAD = 30;
const UNKNOWN: Field = { name: "", type: "", operators: [], sortable: false };

export const fieldOf = (name: string): Field => fieldByName.value.get(name) ?? { ...UNKNOWN, name };

/** Widths of the columns, as CSS has them. */
export function template(names: readonly string[], widths: readonly number[]): string {
  const each = names.map((name, at) => {
    if (widths[at]) return `${widths[at]}px`;
    const { type } = fieldOf(name);
    return type === "boolean"
      ? "90px"
      : isNumber(type)
        ? "120px"
        : isDate(type)
          ? "196px"
          : "minmax(150px, 1fr)";
  });
  return `44px ${each.join(" ")}`;
}

interface Menu {
  row: number;
  column: number;
  left: number;
  top: number;
}

export function Grid({ found }: { found: Found }) {
  const scroller = useRef<HTMLDivElement>(null);
  const tick = useSignal(0);
  const active = useSignal({ row: -1, column: 0 });
  const wantsFocus = useRef(false);
  const menu = useSignal<Menu | null>(null);
  const names = columns.value;
  const widths = template(names, view.value.widths);
  const count = found.rows.length;

  const virtual = useRef<Virtualizer<HTMLDivElement, Element> | null>(null);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 4,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    // The row with the focus stays in the page, or the focus would be lost with it.
    rangeExtractor: (range: Range) => {
      const rows = defaultRangeExtractor(range);
      const { row } = active.value;
      return row < 0 || row >= count || rows.includes(row) ? rows : [...rows, row].sort((a, b) => a - b);
    },
    onChange: () => {
      tick.value += 1;
    },
  };
  virtual.current ??= new Virtualizer(options);
  virtual.current.setOptions({ ...virtual.current.options, ...options });
  const rows = tick.value >= 0 ? virtual.current.getVirtualItems() : [];

  useLayoutEffect(() => virtual.current?._didMount(), []);
  useLayoutEffect(() => {
    virtual.current?._willUpdate();
    if (wantsFocus.current) {
      const { row, column } = active.value;
      const cell = scroller.current?.querySelector<HTMLElement>(
        `[data-row="${row}"] [data-column="${column}"]`,
      );
      if (cell) {
        cell.focus({ preventScroll: true });
        cell.scrollIntoView({ block: "nearest", inline: "nearest" });
        wantsFocus.current = false;
      }
    }
  });
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
    active.value = { row: -1, column: 0 };
    menu.value = null;
  }, [found.queryId]);
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (found.next !== null && last >= count - READ_AHEAD) void readOn();
  }, [last, count, found.next, found.failure]);

  function go(row: number, column: number): void {
    const target = {
      row: Math.max(0, Math.min(count - 1, row)),
      column: Math.max(0, Math.min(names.length, column)),
    };
    active.value = target;
    wantsFocus.current = true;
    virtual.current?.scrollToIndex(target.row, { align: "auto" });
    tick.value += 1;
  }

  function onKey(event: KeyboardEvent): void {
    const { row, column } = active.value;
    if (row < 0 || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW) - 2);
    const moves: Record<string, () => void> = {
      ArrowDown: () => go(row + 1, column),
      ArrowUp: () => go(row - 1, column),
      ArrowRight: () => go(row, column + 1),
      ArrowLeft: () => go(row, column - 1),
      PageDown: () => go(row + page, column),
      PageUp: () => go(row - page, column),
      Home: () => go(event.ctrlKey ? 0 : row, 0),
      End: () => go(event.ctrlKey ? count - 1 : row, names.length),
      Enter: () => {
        opened.value = row;
      },
      " ": () => {
        opened.value = row;
      },
      Escape: () => {
        opened.value = null;
      },
      f: () => {
        if (column > 0) openMenu(row, column);
      },
    };
    const move = moves[event.key];
    if (move === undefined || (event.ctrlKey && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    move();
  }

  function openMenu(row: number, column: number): void {
    const cell = scroller.current?.querySelector(`[data-row="${row}"] [data-column="${column}"]`);
    if (!cell) return;
    const box = cell.getBoundingClientRect();
    active.value = { row, column };
    menu.value = {
      row,
      column,
      left: Math.max(8, Math.min(box.left, window.innerWidth - 300)),
      top: Math.min(box.bottom, window.innerHeight - 190),
    };
  }

  function closeMenu(): void {
    const at = menu.value;
    menu.value = null;
    if (at) go(at.row, at.column);
  }

  const total = virtual.current.getTotalSize();
  const first = active.value.row >= 0 ? active.value : { row: rows[0]?.index ?? 0, column: 0 };
  return (
    <>
      <div
        class="grid"
        ref={scroller}
        role="grid"
        aria-label={TEXT.results}
        aria-rowcount={found.next === null ? count + 1 : -1}
        aria-colcount={names.length + 1}
        aria-busy={found.reading === "busy"}
        onKeyDown={onKey}
        onFocusIn={(event) => {
          active.value = placeOf(event) ?? active.value;
        }}
        onClick={(event) => {
          const place = placeOf(event);
          if (place && place.column > 0) openMenu(place.row, place.column);
          else if (place) opened.value = place.row;
        }}
      >
        <div class="grid-inner">
          <Head names={names} widths={widths} />
          <div class="grid-body" style={{ height: `${total}px` }} role="rowgroup">
            {rows.map((item) => {
              const row = item.index;
              return (
                <div
                  key={row}
                  class={opened.value === row ? "grid-row open" : "grid-row"}
                  role="row"
                  tabIndex={-1}
                  aria-rowindex={row + 2}
                  data-row={row}
                  style={{ transform: `translateY(${item.start}px)`, gridTemplateColumns: widths }}
                >
                  <div
                    role="gridcell"
                    class="cell opener"
                    data-column={0}
                    tabIndex={first.row === row && first.column === 0 ? 0 : -1}
                    aria-label={TEXT.details(row + 1)}
                  >
                    {row + 1}
                  </div>
                  {names.map((name, at) => {
                    const { type } = fieldOf(name);
                    const values = valuesAt(found.rows[row] as Json, name);
                    const column = at + 1;
                    return (
                      <div
                        key={name}
                        role="gridcell"
                        class={isNumber(type) ? "cell number" : values.length === 0 ? "cell none" : "cell"}
                        data-column={column}
                        tabIndex={first.row === row && first.column === column ? 0 : -1}
                        title={exactText(values, type) || undefined}
                      >
                        {values.length === 0 ? "–" : cellText(values, type)}
                      </div>
                    );
                  })}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {menu.value && (
        <CellMenu
          menu={menu.value}
          found={found}
          name={names[menu.value.column - 1] ?? ""}
          close={closeMenu}
        />
      )}
    </>
  );
}

/** The cell of an event: cells have no listeners of their own, as each scroll makes hundreds of them. */
function placeOf(event: Event): { row: number; column: number } | null {
  const cell = (event.target as Element).closest<HTMLElement>("[data-column]");
  const row = cell?.closest<HTMLElement>("[data-row]");
  return cell && row ? { row: Number(row.dataset.row), column: Number(cell.dataset.column) } : null;
}

function Head({ names, widths }: { names: readonly string[]; widths: string }) {
  const { sort } = view.value;
  return (
    <div role="rowgroup" class="grid-head">
      <div
        class="grid-row"
        role="row"
        tabIndex={-1}
        aria-rowindex={1}
        style={{ gridTemplateColumns: widths }}
      >
        <div role="columnheader" tabIndex={-1} class="cell opener">
          <span class="sr">{TEXT.document}</span>#
        </div>
        {names.map((name) => {
          const field = fieldOf(name);
          const order = orderOf(name, sort);
          const label = isDate(field.type) ? `${name} (${zone()})` : name;
          const isNumeric = isNumber(field.type) ? "cell number" : "cell";
          return field.sortable ? (
            <div
              key={name}
              role="columnheader"
              tabIndex={-1}
              class={isNumeric}
              aria-sort={order}
              title={label}
            >
              <button type="button" class="bare" onClick={() => sortBy(name)}>
                <span class="clip">{name}</span>
                {order !== "none" && (
                  <span aria-hidden="true" class="arrow">
                    {order === "ascending" ? "↑" : "↓"}
                  </span>
                )}
              </button>
            </div>
          ) : (
            <div key={name} role="columnheader" tabIndex={-1} class={isNumeric} title={label}>
              <span class="clip">{name}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function CellMenu({
  menu,
  found,
  name,
  close,
}: {
  menu: Menu;
  found: Found;
  name: string;
  close: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const field = fieldOf(name);
  const values = valuesAt(found.rows[menu.row] as Json, name);
  const equal = conditionOf(field, values[0], true);
  const differs = conditionOf(field, values[0], false);
  // At once: the next key may follow the one that opened it.
  useLayoutEffect(() => {
    box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const away = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) close();
    };
    document.addEventListener("pointerdown", away, true);
    return () => document.removeEventListener("pointerdown", away, true);
  }, [menu]);

  function onKey(event: KeyboardEvent): void {
    const items = [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (event.key === "ArrowDown") items[(at + 1) % items.length]?.focus();
    else if (event.key === "ArrowUp") items[(at + items.length - 1) % items.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const act = (action: () => void) => () => {
    close();
    action();
  };
  return (
    <div
      class="menu"
      role="menu"
      tabIndex={-1}
      aria-label={TEXT.filterOf(name)}
      ref={box}
      onKeyDown={onKey}
      style={{ left: `${menu.left}px`, top: `${menu.top}px` }}
    >
      {equal && (
        <button type="button" role="menuitem" onClick={act(() => filterBy(equal))}>
          {TEXT.filterEqual} <code>{equal}</code>
        </button>
      )}
      {differs && (
        <button type="button" role="menuitem" onClick={act(() => filterBy(differs))}>
          {TEXT.filterNotEqual} <code>{differs}</code>
        </button>
      )}
      <button type="button" role="menuitem" onClick={act(() => copy(exactText(values, field.type)))}>
        {TEXT.copy}
      </button>
      <button
        type="button"
        role="menuitem"
        onClick={act(() => {
          opened.value = menu.row;
        })}
      >
        {TEXT.details(menu.row + 1)}
      </button>
    </div>
  );
}

/** The rows that are read as a plain table, for paper and for screen readers that prefer it. */
export function PlainTable({ found }: { found: Found }) {
  const names = columns.value;
  return (
    <table class="plain">
      <caption>{TEXT.times(zone())}</caption>
      <thead>
        <tr>
          {names.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {found.rows.slice(0, PLAIN_ROWS).map((row, at) => (
          <tr key={at}>
            {names.map((name) => {
              const { type } = fieldOf(name);
              return <td key={name}>{cellText(valuesAt(row, name), type)}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const PLAIN_ROWS = 1000;
