/** Accounts by mail: the log-in's window asks for a link, and the link leads to a window of its own. */
import { useSignal } from "@preact/signals";
import { Dialog, focusUnlessTyping } from "./dialog.tsx";
import type { Mailed } from "./fragment.ts";
import { adviceFor, TEXT } from "./messages.ts";
import { asFailure, client, enter, mailed, say, session, welcome } from "./state.ts";

type Act = (given: (name: string) => string) => Promise<void>;

/** What a form does when it is sent, and what went wrong. */
export function useForm(act: Act) {
  const problem = useSignal("");
  const isBusy = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (isBusy.value) return;
    const form = new FormData(event.target as HTMLFormElement);
    isBusy.value = true;
    problem.value = "";
    try {
      await act((name) => String(form.get(name) ?? ""));
    } catch (error) {
      const { code, detail } = asFailure(error);
      // The server's words say what is wrong with the password, or that the link has expired.
      problem.value = detail || `${adviceFor(code).title}. ${adviceFor(code).next}`;
    } finally {
      isBusy.value = false;
    }
  };
  return { problem, isBusy, submit };
}

function NewPassword({ label }: { label: string }) {
  return (
    <>
      <label>
        {label}
        <input
          name="password"
          type="password"
          autocomplete="new-password"
          required
          minLength={12}
          maxLength={1024}
          aria-describedby="password-rule"
        />
      </label>
      <p class="quiet" id="password-rule">
        {TEXT.passwordRule}
      </p>
    </>
  );
}

/** In the log-in's window: have a link sent, for a new password or an account. */
export function AskForLink({ kind, back }: { kind: Mailed["kind"]; back: () => void }) {
  const sentTo = useSignal("");
  const { problem, isBusy, submit } = useForm(async (given) => {
    const email = given("email").trim();
    if (kind === "reset") await client.forgotPassword(email);
    else await client.signUp({ email, full_name: given("full_name").trim(), password: given("password") });
    sentTo.value = email;
  });
  return (
    <form onSubmit={(event) => void submit(event)}>
      <h1 id="log-in-title">{kind === "reset" ? TEXT.newPassword : TEXT.signUp}</h1>
      {sentTo.value ? (
        <p role="status">{TEXT.linkSent(sentTo.value)}</p>
      ) : (
        <>
          <label>
            {TEXT.email}
            <input
              name="email"
              type="email"
              autocomplete="email"
              required
              maxLength={254}
              ref={(input) => focusUnlessTyping(input)}
            />
          </label>
          {kind === "sign-up" && (
            <>
              <label>
                {TEXT.fullName}
                <input name="full_name" autocomplete="name" maxLength={150} />
              </label>
              <NewPassword label={TEXT.password} />
            </>
          )}
          <p class="problem-line" role="alert">
            {problem.value}
          </p>
        </>
      )}
      <div class="row">
        {!sentTo.value && (
          <button type="submit" class="primary" disabled={isBusy.value}>
            {TEXT.sendLink}
          </button>
        )}
        <button type="button" onClick={back}>
          {TEXT.back}
        </button>
      </div>
    </form>
  );
}

/** What the link of a mail leads to. It takes a click: programs that look into mails open links, too. */
export function ByMail({ link }: { link: Mailed }) {
  const leave = (): void => {
    mailed.value = null;
  };
  const done = (text: string, username: string): void => {
    leave();
    if (session.value === "in") say(text);
    else welcome.value = { text, username };
  };
  const { problem, isBusy, submit } = useForm(async (given) => {
    if (link.kind === "sign-up") {
      done(TEXT.accountMade, await client.confirmSignUp(link.token));
      return;
    }
    await client.resetPassword(link.token, given("password"));
    // Where it was the password of who is logged in here, that has ended.
    await enter();
    done(TEXT.passwordSet, "");
  });
  const isReset = link.kind === "reset";
  return (
    <Dialog namedBy="log-in-title" cancel={leave}>
      <form onSubmit={(event) => void submit(event)}>
        <h1 id="log-in-title">{isReset ? TEXT.newPassword : TEXT.confirmAddress}</h1>
        {isReset ? <NewPassword label={TEXT.newPassword} /> : <p>{TEXT.confirmText}</p>}
        <p class="problem-line" role="alert">
          {problem.value}
        </p>
        <div class="row">
          <button type="submit" class="primary" disabled={isBusy.value}>
            {isReset ? TEXT.setPassword : TEXT.makeAccount}
          </button>
          <button type="button" onClick={leave}>
            {TEXT.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
