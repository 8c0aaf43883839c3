/** Editor of a document's JSON: CodeMirror as the query box has it, with marks at errors and the other side of a conflict. */
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState, type Extension, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { replacing, theme } from "../editor.ts";
import { TEXT } from "../messages.ts";
import type { Place } from "./json.ts";

export interface JsonEditor {
  set(text: string): void;
  mark(places: readonly Place[]): void;
  goTo(place: Place): void;
  destroy(): void;
}

export interface JsonOptions {
  label: string;
  /** The text that this one is compared with, line by line; null for none. */
  original: string | null;
  /** What is done with a change, and by the save key; without it nothing can be changed. */
  edits?: { changed(text: string): void; save(): void } | undefined;
}

const setMarks = StateEffect.define<readonly Place[]>();
const WRONG = Decoration.mark({ class: "wrong", attributes: { "aria-invalid": "true" } });
const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(found, transaction) {
    let next = found.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(setMarks)) {
        const length = transaction.state.doc.length;
        const places = effect.value.filter(({ from, to }) => from < to && to <= length);
        next = Decoration.set(
          places.map(({ from, to }) => WRONG.range(from, to)),
          true,
        );
      }
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const NAME = Decoration.mark({ class: "token-name" });
const STRING = Decoration.mark({ class: "token-string" });
const OTHER = Decoration.mark({ class: "token-operator" });
const matcher = new MatchDecorator({
  regexp: /("(?:[^"\\\n]|\\.)*")(\s*:)?|-?\b\d[\d.eE+-]*|\b(?:true|false|null)\b/g,
  decoration: (match) => (match[1] === undefined ? OTHER : match[2] === undefined ? STRING : NAME),
});
const colours = ViewPlugin.define(
  (view) => ({
    decorations: matcher.createDeco(view),
    update(update: ViewUpdate) {
      this.decorations = matcher.updateDeco(update, this.decorations);
    },
  }),
  { decorations: (plugin) => plugin.decorations },
);

const ownTheme = EditorView.theme({
  ".cm-scroller": { maxHeight: "none", fontSize: "0.88rem" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--quiet)", border: "none" },
  ".cm-deletedChunk, .cm-deletedLine": { backgroundColor: "var(--bad-page)" },
  ".cm-changedLine, .cm-inlineChangedLine, .cm-insertedLine": { backgroundColor: "var(--selected)" },
  ".cm-changedText, .cm-deletedText": { background: "none !important", fontWeight: "700" },
  ".cm-changeGutter": { width: "4px" },
  ".cm-changedLineGutter": { backgroundColor: "var(--accent)" },
  ".cm-deletedLineGutter": { backgroundColor: "var(--bad)" },
  ".cm-collapsedLines": { color: "var(--quiet)", background: "var(--page) !important" },
  ".cm-deletedChunk .cm-chunkButtons": { position: "absolute", insetInlineEnd: "6px" },
  ".cm-deletedChunk button": {
    font: "0.85rem var(--sans)",
    color: "var(--text) !important",
    background: "var(--raised) !important",
    border: "1px solid var(--line) !important",
    padding: "0 0.5rem",
    borderRadius: "5px",
  },
});

/** The button that takes the other side's lines; keeping one's own needs none. */
function control(kind: "accept" | "reject", action: (event: MouseEvent) => void): HTMLElement {
  const made = document.createElement(kind === "reject" ? "button" : "span");
  if (kind === "reject") {
    made.textContent = TEXT.takeTheirs;
    made.onclick = action;
  }
  return made;
}

/** Make an editor inside an element. */
export function makeJsonEditor(parent: HTMLElement, text: string, options: JsonOptions): JsonEditor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open", delegatesFocus: true });
  const { edits, original } = options;
  const compared: Extension =
    original === null
      ? []
      : unifiedMergeView({
          original,
          mergeControls: edits ? control : false,
          collapseUnchanged: { margin: 3, minSize: 6 },
        });
  let isSetting = false;
  const view = new EditorView({
    root,
    parent: root as unknown as Element,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([
          {
            key: "Mod-s",
            run: () => {
              edits?.save();
              return true;
            },
          },
          ...defaultKeymap,
          ...historyKeymap,
        ]),
        history(),
        lineNumbers(),
        EditorView.lineWrapping,
        drawSelection(),
        EditorState.readOnly.of(edits === undefined),
        EditorView.contentAttributes.of({
          "aria-label": options.label,
          autocapitalize: "off",
          autocorrect: "off",
          spellcheck: "false",
        }),
        replacing,
        marks,
        colours,
        // The first one wins.
        ownTheme,
        theme,
        compared,
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !isSetting) edits?.changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    set(next) {
      if (next === view.state.doc.toString()) return;
      isSetting = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
      isSetting = false;
    },
    mark: (places) => view.dispatch({ effects: setMarks.of(places) }),
    goTo({ from, to }) {
      view.dispatch({ selection: { anchor: from, head: to }, scrollIntoView: true });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
