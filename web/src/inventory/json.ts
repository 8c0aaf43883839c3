/** Where the values of a JSON text stand, so that an error of a member is shown at the member. */

export interface Place {
  from: number;
  to: number;
}

export interface Wrong extends Place {
  /** What the text lacks there. */
  expected: "a value" | "a name in quotation marks" | ":" | ", or }" | ", or ]" | "the end" | "fewer levels";
}

export interface Places {
  /** By JSON pointer (RFC 6901); the last one counts where a name is there twice, as for every reader. */
  values: Map<string, Place>;
  wrong: Wrong | null;
}

const MAX_LEVELS = 100;
const BLANK = /[ \t\n\r]*/y;
const STRING = /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Read a text as far as it is JSON (RFC 8259). */
export function placesOf(text: string): Places {
  const values = new Map<string, Place>();
  let at = 0;

  function take(pattern: RegExp): string | null {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? null;
    if (found !== null) at += found.length;
    return found;
  }
  function skip(): void {
    take(BLANK);
  }
  function fail(expected: Wrong["expected"]): never {
    throw new Unreadable(expected, at);
  }
  function value(pointer: string, level: number): void {
    if (level > MAX_LEVELS) fail("fewer levels");
    const from = at;
    if (text[at] === "{") {
      list("}", () => {
        const name = take(STRING) ?? fail("a name in quotation marks");
        skip();
        if (text[at] !== ":") fail(":");
        at += 1;
        skip();
        value(`${pointer}/${step(JSON.parse(name) as string)}`, level + 1);
      });
    } else if (text[at] === "[") {
      let index = 0;
      list("]", () => value(`${pointer}/${index++}`, level + 1));
    } else if (take(STRING) === null && take(LITERAL) === null) fail("a value");
    values.set(pointer, { from, to: at });
  }
  function list(end: "}" | "]", item: () => void): void {
    at += 1;
    skip();
    if (text[at] !== end) {
      while (true) {
        item();
        skip();
        if (text[at] !== ",") break;
        at += 1;
        skip();
      }
    }
    if (text[at] !== end) fail(end === "}" ? ", or }" : ", or ]");
    at += 1;
  }

  try {
    skip();
    value("", 0);
    skip();
    if (at < text.length) fail("the end");
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const from = Math.min(error.at, Math.max(0, text.length - 1));
    return { values, wrong: { from, to: Math.min(from + 1, text.length), expected: error.expected } };
  }
  return { values, wrong: null };
}

class Unreadable extends Error {
  constructor(
    readonly expected: Wrong["expected"],
    readonly at: number,
  ) {
    super(expected);
  }
}

const step = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** The place of an error: its value, the first line of one that has several, or the nearest value around it. */
export function placeOfError(text: string, values: Map<string, Place>, pointer: string): Place {
  let nearest = pointer;
  while (!values.has(nearest) && nearest !== "") nearest = nearest.slice(0, nearest.lastIndexOf("/"));
  const { from, to } = values.get(nearest) ?? { from: 0, to: text.length };
  const line = text.indexOf("\n", from);
  return { from, to: line === -1 ? to : Math.min(to, line) };
}
