/**
 * The query box: CodeMirror in a shadow root, where its style sheets are constructed and no inline style is needed.
 *
 * It knows the text and the fields it is given, and nothing of the page.
 */
import {
  acceptCompletion,
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  closeCompletion,
  completionStatus,
  moveCompletionSelection,
  startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { EditorState, Prec, type Range, StateEffect, StateField, Transaction } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  keymap,
  placeholder,
} from "@codemirror/view";
import type { Completion as Answer, Field } from "../client/sluice-client.ts";
import { choices, type Kind, placeAt, tokens } from "./language.ts";
import { TEXT } from "./messages.ts";

export interface Host {
  run(): void;
  changed(text: string): void;
  /** Take the first suggestion; whether there was one. */
  fix(): boolean;
  fields(): readonly Field[];
  /** Values at a place, from the server. */
  complete(text: string, cursor: number, signal: AbortSignal): Promise<Answer>;
}

export interface Editor {
  set(text: string): void;
  mark(place: { from: number; to: number } | null): void;
  focus(): void;
  insert(text: string): void;
  destroy(): void;
}

const VALUES_AFTER_MS = 150;

const setMark = StateEffect.define<{ from: number; to: number } | null>();
const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(found, transaction) {
    let next = transaction.docChanged ? Decoration.none : found;
    for (const effect of transaction.effects) {
      if (!effect.is(setMark)) continue;
      const length = transaction.state.doc.length;
      const from = Math.min(effect.value?.from ?? 0, length);
      const to = Math.min(Math.max(effect.value?.to ?? 0, from), length);
      // At the end of the text there is nothing to underline: the character before it stands for it.
      const begin = from === to ? Math.max(0, from - 1) : from;
      next = effect.value && to > begin ? Decoration.set([WRONG.range(begin, to)]) : Decoration.none;
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});
const WRONG = Decoration.mark({ class: "wrong", attributes: { "aria-invalid": "true" } });

const CLASSES: Partial<Record<Kind, Decoration>> = Object.fromEntries(
  (["name", "string", "regex", "operator", "keyword", "value"] as const).map((kind) => [
    kind,
    Decoration.mark({ class: `token-${kind}` }),
  ]),
);
const colours = EditorView.decorations.compute(["doc"], (state) => {
  const found: Range<Decoration>[] = [];
  for (const token of tokens(state.doc.toString())) {
    const decoration = CLASSES[token.kind];
    if (decoration) found.push(decoration.range(token.from, token.to));
  }
  return Decoration.set(found);
});

/**
 * Text in the place of a selection. Left to itself, Chromium keeps the look of what was there by an inline style, which
 * the content policy refuses and reports.
 */
export const replacing = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { main } = view.state.selection;
    if (event.inputType !== "insertText" || event.data === null || event.isComposing || main.empty)
      return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    return true;
  },
});

export const theme = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "transparent", fontSize: "1rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", maxHeight: "30vh" },
  ".cm-content": { padding: "0.55rem 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 0.75rem" },
  ".cm-cursor": { borderLeftColor: "var(--text)", borderLeftWidth: "2px" },
  ".cm-placeholder": { color: "var(--quiet)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selected) !important",
  },
  ".token-name": { color: "var(--text)", fontWeight: "600" },
  ".token-keyword": { color: "var(--accent)", fontWeight: "600" },
  ".token-operator": { color: "var(--accent)" },
  ".token-string, .token-value": { color: "var(--value)" },
  ".token-regex": { color: "var(--pattern)" },
  // CodeMirror's own underline is an image at a data: address, which the content policy refuses.
  ".wrong": { textDecoration: "underline wavy var(--bad) 2px", textUnderlineOffset: "3px" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--text)",
    border: "1px solid var(--line)",
    borderRadius: "8px",
    boxShadow: "var(--shadow)",
    overflow: "hidden",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--mono)",
    maxHeight: "17rem",
    maxWidth: "min(32rem, 92vw)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
    padding: "0.3rem 0.75rem",
    display: "flex",
    gap: "1rem",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--on-accent)",
  },
  ".cm-completionLabel": { flex: "1", overflow: "hidden", textOverflow: "ellipsis" },
  ".cm-completionDetail": { fontStyle: "normal", fontFamily: "var(--sans)", opacity: "1", marginLeft: "0" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
});

function asOption(choice: { text: string; kind: string; type: string }, boost: number): Completion {
  const needsSpace = choice.kind !== "value" && choice.text !== ":{";
  return {
    label: choice.text,
    detail: choice.type || (choice.kind === "keyword" ? "" : choice.kind),
    boost,
    apply: (view, _completion, from, to) => {
      const after = view.state.sliceDoc(to, to + 1);
      const text = choice.text + (needsSpace && after !== " " ? " " : "");
      view.dispatch({
        changes: { from, to, insert: text },
        selection: { anchor: from + text.length },
        userEvent: "input.complete",
        annotations: Transaction.userEvent.of("input.complete"),
      });
      // What comes next is offered at once: an operator after a field, a value after an operator.
      if (needsSpace) startCompletion(view);
    },
  };
}

async function source(context: CompletionContext, host: Host): Promise<CompletionResult | null> {
  const text = context.state.doc.toString();
  const place = placeAt(text, context.pos);
  if (
    place.expected === "none" ||
    (!context.explicit && place.word === "" && !/\s$/.test(text.slice(0, context.pos)))
  ) {
    return null;
  }
  if (!context.explicit && text.trim() === "") return null;
  const own = choices(place, host.fields());
  if (own !== null) {
    return {
      from: place.from,
      options: own.map((choice, at) => asOption(choice, -Math.min(at, 98))),
      validFor: /^[^\s(){},"'=<>!~]*$/,
    };
  }
  const stop = new AbortController();
  context.addEventListener("abort", () => stop.abort(), { onDocChange: true });
  await new Promise((done) => setTimeout(done, context.explicit ? 0 : VALUES_AFTER_MS));
  if (context.aborted) return null;
  try {
    const answer = await host.complete(text, context.pos, stop.signal);
    const options = answer.suggestions.map((each, at) => asOption(each, -Math.min(at, 98)));
    const result: CompletionResult = { from: answer.start, to: context.pos, options, filter: false };
    // A list that has all there is can be narrowed here; any other has to be asked for again.
    return answer.complete ? { ...result, filter: true, validFor: /^[^\s(){},"'=<>!~]*$/ } : result;
  } catch {
    // Help that cannot be had is no fault of who types; the search itself tells what is down.
    return null;
  }
}

/** Make the box inside an element. */
export function makeEditor(parent: HTMLElement, text: string, host: Host): Editor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open", delegatesFocus: true });
  const help = document.createElement("span");
  help.id = "help";
  help.hidden = true;
  help.textContent = TEXT.queryHelp;
  root.append(help);
  let isSetting = false;
  const submit = (target: EditorView): boolean => {
    closeCompletion(target);
    host.run();
    return true;
  };
  const view = new EditorView({
    root,
    parent: root as unknown as Element,
    state: EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(
          keymap.of([
            { key: "Enter", run: submit },
            { key: "Mod-Enter", run: submit },
            { key: "Alt-Enter", run: () => host.fix() },
            { key: "Tab", run: acceptCompletion },
            { key: "Escape", run: closeCompletion },
            { key: "ArrowDown", run: moveCompletionSelection(true) },
            { key: "ArrowUp", run: moveCompletionSelection(false) },
            { key: "Ctrl-Space", run: startCompletion },
          ]),
        ),
        history(),
        keymap.of([
          {
            key: "Shift-Enter",
            run: (target) => {
              target.dispatch(target.state.replaceSelection("\n"));
              return true;
            },
          },
          ...defaultKeymap.filter((binding) => binding.key !== "Enter"),
          ...historyKeymap,
        ]),
        EditorView.lineWrapping,
        drawSelection(),
        placeholder(TEXT.placeholder),
        EditorView.contentAttributes.of({
          "aria-label": TEXT.query,
          "aria-describedby": "help",
          autocapitalize: "off",
          autocorrect: "off",
          spellcheck: "false",
        }),
        autocompletion({
          override: [(context) => source(context, host)],
          defaultKeymap: false,
          icons: false,
          activateOnTypingDelay: 60,
          selectOnOpen: true,
          interactionDelay: 0,
        }),
        replacing,
        marks,
        colours,
        theme,
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !isSetting) host.changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    set(next) {
      if (next === view.state.doc.toString()) return;
      isSetting = true;
      if (completionStatus(view.state)) closeCompletion(view);
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: next },
        selection: { anchor: next.length },
      });
      isSetting = false;
    },
    mark: (place) => view.dispatch({ effects: setMark.of(place) }),
    focus: () => view.focus(),
    insert(more) {
      const at = view.state.selection.main.head;
      const before = view.state.sliceDoc(Math.max(0, at - 1), at);
      const insert = (before === "" || /[\s(]/.test(before) ? "" : " ") + more;
      view.dispatch({
        changes: { from: at, insert },
        selection: { anchor: at + insert.length },
        userEvent: "input",
      });
      view.focus();
      startCompletion(view);
    },
    destroy: () => view.destroy(),
  };
}
