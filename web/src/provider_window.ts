/**
 * Log-in by a provider in a window of its own, so that what was typed stays.
 *
 * The window comes back to this page's address with a code, hands it over by a channel of this origin, and closes. State
 * and verifier stay in the memory of the page that has begun.
 */
import type { ProviderLogIn } from "../client/sluice-client.ts";

const CHANNEL = "sluice-log-in";
/** After which a window closes that nobody has answered: the page that began is gone. */
const LINGER_MS = 5000;

/** What a window has brought back. */
export interface Back {
  state: string;
  code: string | null;
  /** Of an account with a second factor; null for a refusal, and for one that must have a factor and has none. */
  ticket: string | null;
  enrolled: boolean;
}

/** The page's answer: what came with this state is there. */
interface Taken {
  taken: string;
}

/** In a window that a provider has sent back: hand over what it has brought; whether there was anything. */
export function handOver(): boolean {
  const given = new URLSearchParams(location.search);
  const [state, code] = [given.get("state"), given.get("code")];
  if (state === null || (code === null && !given.has("error"))) return false;
  const channel = new BroadcastChannel(CHANNEL);
  const [ticket, enrolled] = [given.get("ticket"), given.get("enrolled") !== "false"];
  // A window that closes at once may take its message with it, so it waits until the page has it.
  channel.onmessage = ({ data }: MessageEvent<Back | Taken>) => {
    if ("taken" in data && data.taken === state) window.close();
  };
  channel.postMessage({ state, code, ticket, enrolled } satisfies Back);
  setTimeout(() => window.close(), LINGER_MS);
  // Neither the address bar nor the history keeps a code.
  history.replaceState(null, "", location.pathname);
  return true;
}

/** Wait for what the window brings. */
export function backFrom(begun: ProviderLogIn, signal: AbortSignal): Promise<Back> {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel(CHANNEL);
    signal.addEventListener("abort", () => channel.close());
    channel.onmessage = ({ data }: MessageEvent<Back | Taken>) => {
      if ("taken" in data || data.state !== begun.state) return;
      channel.postMessage({ taken: data.state } satisfies Taken);
      channel.close();
      resolve(data);
    };
  });
}
