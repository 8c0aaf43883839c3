/** A question before something is deleted. */
import { Dialog } from "./dialog.tsx";
import { TEXT } from "./messages.ts";

export function Confirm({ question, close }: { question: string; close: (isSure: boolean) => void }) {
  return (
    <Dialog namedBy="question" cancel={() => close(false)}>
      <p id="question">{question}</p>
      <p class="row">
        <button type="button" class="primary" onClick={() => close(true)}>
          {TEXT.delete}
        </button>
        <button type="button" onClick={() => close(false)}>
          {TEXT.cancel}
        </button>
      </p>
    </Dialog>
  );
}
