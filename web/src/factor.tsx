/** Set-up of a second factor: the key for the authenticator, a first code, and the recovery codes, which are shown once. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useForm } from "./accounts.tsx";
import { Dialog, focusUnlessTyping } from "./dialog.tsx";
import { adviceFor, TEXT } from "./messages.ts";
import { asFailure, client, copy } from "./state.ts";

/** @param ticket of a log-in that lacks the factor; null for who is logged in. */
export function SetUpFactor({ ticket, close }: { ticket: string | null; close: (isSet: boolean) => void }) {
  const begun = useSignal<{ secret: string; uri: string } | null>(null);
  const refusal = useSignal("");
  const codes = useSignal<string[]>([]);
  const { problem, isBusy, submit } = useForm(async (given) => {
    codes.value = await client.confirmFactor(given("code").trim(), ticket);
  });
  useEffect(() => {
    client.beginFactor(ticket).then(
      (factor) => {
        begun.value = factor;
      },
      (error: unknown) => {
        const { code, detail } = asFailure(error);
        refusal.value = code === "forbidden" ? TEXT.freshLogIn : detail || adviceFor(code).next;
      },
    );
  }, []);
  const isDone = codes.value.length > 0;
  return (
    <form onSubmit={(event) => void submit(event)}>
      <h1 id="log-in-title">{TEXT.secondFactor}</h1>
      {isDone && (
        <>
          <p>{TEXT.keepRecoveryCodes}</p>
          <ul class="codes" aria-label={TEXT.recoveryCodes}>
            {codes.value.map((code) => (
              <li key={code}>
                <code>{code}</code>
              </li>
            ))}
          </ul>
        </>
      )}
      {!isDone && begun.value !== null && (
        <>
          <p>{TEXT.intoAuthenticator}</p>
          <p>
            <code class="key">{begun.value.secret.match(/.{1,4}/g)?.join(" ")}</code>
          </p>
          <p>
            <a href={begun.value.uri}>{TEXT.openAuthenticator}</a>
          </p>
          <label>
            {TEXT.firstCode}
            <input
              name="code"
              autocomplete="one-time-code"
              inputMode="numeric"
              required
              maxLength={32}
              ref={(input) => focusUnlessTyping(input)}
            />
          </label>
        </>
      )}
      <p class="problem-line" role="alert">
        {refusal.value || problem.value}
      </p>
      <div class="row">
        {isDone && (
          <>
            <button type="button" class="primary" onClick={() => close(true)}>
              {TEXT.codesKept}
            </button>
            <button type="button" onClick={() => void copy(codes.value.join("\n"))}>
              {TEXT.copy}
            </button>
          </>
        )}
        {!isDone && begun.value !== null && (
          <button type="submit" class="primary" disabled={isBusy.value}>
            {TEXT.confirm}
          </button>
        )}
        {!isDone && (
          <button type="button" onClick={() => close(false)}>
            {TEXT.cancel}
          </button>
        )}
      </div>
    </form>
  );
}

/** The same in a window of its own, for who is logged in. */
export function FactorWindow({ close }: { close: () => void }) {
  return (
    <Dialog namedBy="log-in-title" cancel={close}>
      <SetUpFactor ticket={null} close={close} />
    </Dialog>
  );
}
