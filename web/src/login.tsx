/** Log-in over the page, so that what was typed stays. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Provider, SluiceProblem, type WaysIn } from "../client/sluice-client.ts";
import { AskForLink } from "./accounts.tsx";
import { SetUpFactor } from "./factor.tsx";
import type { Mailed } from "./fragment.ts";
import { adviceFor, TEXT } from "./messages.ts";
import { backFrom } from "./provider_window.ts";
import { asFailure, begin, client, enter, me, session, welcome } from "./state.ts";

export function LogIn() {
  const dialog = useRef<HTMLDialogElement>(null);
  const ticket = useSignal<{ ticket: string; code_verifier?: string } | null>(null);
  /** Of a log-in that has to set up its second factor first. */
  const enrolling = useSignal<string | null>(null);
  const problem = useSignal("");
  const isBusy = useSignal(false);
  const hint = useSignal("");
  const ways = useSignal<WaysIn>({ providers: [], sign_up: false, new_password: false });
  const asking = useSignal<Mailed["kind"] | null>(null);
  const waiting = useRef(new AbortController());
  useEffect(() => {
    dialog.current?.showModal();
    // Without it people log in by password; why it cannot be had is told by the log-in itself.
    client.waysIn().then(
      (found) => {
        ways.value = found;
      },
      () => undefined,
    );
    return () => waiting.current.abort();
  }, []);

  async function logInBy(provider: Provider): Promise<void> {
    // At once, in the click's own turn: browsers open no window later.
    const opened = window.open("about:blank", "_blank", "popup,width=520,height=680");
    waiting.current.abort();
    waiting.current = new AbortController();
    problem.value = "";
    hint.value = TEXT.inOtherWindow;
    try {
      const begun = await client.beginProviderLogIn(provider, `${location.origin}/`);
      const coming = backFrom(begun, waiting.current.signal);
      if (opened !== null) opened.location = begun.url;
      const back = await coming;
      if (back.code !== null) {
        await client.endProviderLogIn(begun, back.code);
        await enter();
      } else if (back.ticket === null) problem.value = back.enrolled ? TEXT.providerRefused : TEXT.enrolFirst;
      else ticket.value = { ticket: back.ticket, code_verifier: begun.verifier };
    } catch (error) {
      problem.value = explain(error);
    } finally {
      hint.value = "";
    }
  }

  async function logIn(form: HTMLFormElement): Promise<void> {
    const given = new FormData(form);
    isBusy.value = true;
    problem.value = "";
    try {
      await client.logIn(
        ticket.value === null
          ? { username: String(given.get("username")), password: String(given.get("password")) }
          : { ...ticket.value, code: String(given.get("code")).trim() },
      );
      await enter();
    } catch (error) {
      problem.value = explain(error);
      form
        .querySelector<HTMLInputElement>(ticket.value === null ? "[name=password]" : "[name=code]")
        ?.focus();
    } finally {
      isBusy.value = false;
    }
  }

  function explain(error: unknown): string {
    if (error instanceof SluiceProblem) {
      if (error.code === "factor_required" && error.ticket !== null) {
        // Its role needs one, and it has none: it is set up here.
        if (error.enrolled) ticket.value = { ticket: error.ticket };
        else enrolling.value = error.ticket;
        return "";
      }
      if (error.code === "unauthenticated")
        return ticket.value === null ? TEXT.wrongPassword : TEXT.wrongCode;
    }
    const failure = asFailure(error);
    const { title, next } = adviceFor(failure.code);
    return `${title}. ${next}${failure.retryAfter ? ` (${failure.retryAfter} s)` : ""}`;
  }

  if (session.value === "unreachable") {
    return (
      <dialog
        ref={dialog}
        class="log-in"
        aria-labelledby="log-in-title"
        onCancel={(event) => event.preventDefault()}
      >
        <h1 id="log-in-title">{adviceFor(navigator.onLine ? "unreachable" : "offline").title}</h1>
        <p>{adviceFor(navigator.onLine ? "unreachable" : "offline").next}</p>
        <button type="button" class="primary" onClick={() => begin()}>
          {TEXT.tryAgain}
        </button>
      </dialog>
    );
  }
  return (
    <dialog
      ref={dialog}
      class="log-in"
      aria-labelledby="log-in-title"
      onCancel={(event) => event.preventDefault()}
    >
      {enrolling.value !== null ? (
        <SetUpFactor
          ticket={enrolling.value}
          close={(isSet) => {
            enrolling.value = null;
            if (isSet) welcome.value = { ...welcome.value, text: TEXT.factorIsSet };
          }}
        />
      ) : asking.value !== null ? (
        <AskForLink
          kind={asking.value}
          back={() => {
            asking.value = null;
          }}
        />
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void logIn(event.currentTarget);
          }}
        >
          <h1 id="log-in-title">{TEXT.product}</h1>
          <p class="quiet">{session.value === "ended" ? TEXT.sessionEnded : TEXT.tagline}</p>
          {welcome.value.text && <p role="status">{welcome.value.text}</p>}
          {ticket.value === null ? (
            <>
              <label>
                {TEXT.username}
                <input
                  name="username"
                  autocomplete="username"
                  required
                  maxLength={254}
                  defaultValue={me.value?.username ?? welcome.value.username}
                />
              </label>
              <label>
                {TEXT.password}
                <input
                  name="password"
                  type="password"
                  autocomplete="current-password"
                  required
                  maxLength={1024}
                />
              </label>
            </>
          ) : (
            <label>
              {TEXT.code}
              <input
                key="code"
                name="code"
                autocomplete="one-time-code"
                required
                maxLength={32}
                ref={(input) => input?.focus()}
              />
            </label>
          )}
          <p class="problem-line" role="alert">
            {problem.value}
          </p>
          {hint.value && <p role="status">{hint.value}</p>}
          <div class="row">
            <button type="submit" class="primary" disabled={isBusy.value}>
              {isBusy.value ? TEXT.loggingIn : TEXT.logIn}
            </button>
            {ticket.value !== null && (
              <button
                type="button"
                onClick={() => {
                  ticket.value = null;
                  problem.value = "";
                }}
              >
                {TEXT.back}
              </button>
            )}
          </div>
          {ticket.value === null && (ways.value.new_password || ways.value.sign_up) && (
            <div class="row">
              {ways.value.new_password && (
                <button
                  type="button"
                  class="bare"
                  onClick={() => {
                    asking.value = "reset";
                  }}
                >
                  {TEXT.forgotten}
                </button>
              )}
              <span class="space" />
              {ways.value.sign_up && (
                <button
                  type="button"
                  class="bare"
                  onClick={() => {
                    asking.value = "sign-up";
                  }}
                >
                  {TEXT.signUp}
                </button>
              )}
            </div>
          )}
          {ticket.value === null && ways.value.providers.length > 0 && (
            <div class="providers">
              <p class="quiet">{TEXT.or}</p>
              {ways.value.providers.map((provider) => (
                <button key={provider.name} type="button" onClick={() => logInBy(provider)}>
                  {TEXT.logInBy(provider.label)}
                </button>
              ))}
            </div>
          )}
        </form>
      )}
    </dialog>
  );
}
