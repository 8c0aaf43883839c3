/** A window over the page, which the keys do not leave. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  /** The id of the element that names it. */
  namedBy: string;
  /** What Escape does. */
  cancel: () => void;
  children: ComponentChildren;
}

export function Dialog({ namedBy, cancel, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="log-in" aria-labelledby={namedBy} onCancel={cancel}>
      {children}
    </dialog>
  );
}

/** Let the keys go to a field that has appeared, unless somebody types elsewhere. */
export function focusUnlessTyping(input: HTMLInputElement | null): void {
  if (input && document.activeElement?.tagName !== "INPUT") input.focus();
}
