/** The page as a whole. */
import { useEffect } from "preact/hooks";
import { History } from "./history.tsx";
import { LogIn } from "./login.tsx";
import { TEXT } from "./messages.ts";
import { QueryBox } from "./query.tsx";
import { isPlain, Results } from "./results.tsx";
import { go, leave, logOut, me, readAddress, readHistory, run, session, toast, view } from "./state.ts";

export function App() {
  useEffect(() => {
    const paper = matchMedia("print");
    let before = false;
    const printing = (): void => {
      if (paper.matches) before = isPlain.value;
      isPlain.value = paper.matches || before;
    };
    const moved = (): void => {
      readAddress();
      if (session.value !== "in") return;
      if (view.value.view === "history") void readHistory();
      else void run();
    };
    paper.addEventListener("change", printing);
    window.addEventListener("popstate", moved);
    window.addEventListener("pagehide", leave);
    return () => {
      paper.removeEventListener("change", printing);
      window.removeEventListener("popstate", moved);
      window.removeEventListener("pagehide", leave);
    };
  }, []);
  const isOut = session.value === "out" || session.value === "ended" || session.value === "unreachable";
  return (
    <>
      {me.value !== null && (
        <>
          <Top />
          <main>
            {view.value.view === "history" ? (
              <History />
            ) : (
              <>
                <QueryBox />
                <Results />
              </>
            )}
          </main>
        </>
      )}
      {session.value === "checking" && (
        <p class="state quiet" role="status">
          {TEXT.loading}
        </p>
      )}
      {isOut && <LogIn key={session.value} />}
      <p class={toast.value ? "toast shown" : "toast"} role="status">
        {toast.value}
      </p>
    </>
  );
}

/** Go to the results. A link would do it by the address, which holds the search. */
function skip(): void {
  const results = document.getElementById("results");
  const target = results?.querySelector<HTMLElement>("[role=gridcell][tabindex='0'], button, [tabindex='0']");
  (target ?? results)?.focus();
}

function Top() {
  const who = me.value;
  return (
    <header class="top">
      <button type="button" class="skip" onClick={skip}>
        {TEXT.skip}
      </button>
      <h1 class="brand">{TEXT.product}</h1>
      <span class="space" />
      <nav aria-label={TEXT.product}>
        {(["search", "history"] as const).map((each) => (
          <button
            key={each}
            type="button"
            class="tab"
            aria-current={view.value.view === each ? "page" : undefined}
            onClick={() => go(each)}
          >
            {TEXT[each]}
          </button>
        ))}
        {who?.role === "admin" && <a href="/admin/">{TEXT.administration}</a>}
        <a href="/docs/">{TEXT.apiDocs}</a>
      </nav>
      <span class="who">
        {who?.username} <span class="quiet">{who?.role}</span>
      </span>
      <button type="button" class="small" onClick={() => logOut()}>
        {TEXT.logOut}
      </button>
    </header>
  );
}
