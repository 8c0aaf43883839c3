/** A question before something is deleted. */
import { useEffect, useRef } from "preact/hooks";
import { TEXT } from "./messages.ts";

export function Confirm({ question, close }: { question: string; close: (isSure: boolean) => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="log-in" aria-labelledby="question" onCancel={() => close(false)}>
      <p id="question">{question}</p>
      <p class="row">
        <button type="button" class="primary" onClick={() => close(true)}>
          {TEXT.delete}
        </button>
        <button type="button" onClick={() => close(false)}>
          {TEXT.cancel}
        </button>
      </p>
    </dialog>
  );
}
