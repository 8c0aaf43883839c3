/** The page as a whole. */
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Me, SluiceUnreachable } from "../client/sluice-client.ts";
import { ByMail } from "./accounts.tsx";
import { Bell } from "./bell.tsx";
import { FactorWindow } from "./factor.tsx";
import { PAGES, type PageName } from "./fragment.ts";
import { History } from "./history.tsx";
import { LogIn } from "./login.tsx";
import { TEXT } from "./messages.ts";
import { QueryBox } from "./query.tsx";
import { Failed, isPlain, Results } from "./results.tsx";
import { asFailure, go, leave, logOut, mailed, me, readAddress, run, session, toast, view } from "./state.ts";

export function App() {
  useEffect(() => {
    const paper = matchMedia("print");
    let before = false;
    const printing = (): void => {
      if (paper.matches) before = isPlain.value;
      isPlain.value = paper.matches || before;
    };
    const moved = (): void => {
      if (readAddress() && session.value === "in" && view.value.view === "search") void run();
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
            <Page />
          </main>
        </>
      )}
      {session.value === "checking" && (
        <p class="state quiet" role="status">
          {TEXT.loading}
        </p>
      )}
      {mailed.value !== null ? <ByMail link={mailed.value} /> : isOut && <LogIn key={session.value} />}
      <p class={toast.value ? "toast shown" : "toast"} role="status">
        {toast.value}
      </p>
    </>
  );
}

/** Pages that come when they are opened, so that the first one is small. */
const LATER = {
  saved: () => import("./saved/page.tsx"),
  inventory: () => import("./inventory/page.tsx"),
  administration: () => import("./administration.tsx"),
  live: () => import("./tail.tsx"),
};

function Page() {
  const name = view.value.view;
  if (name === "history") return <History />;
  if (name !== "search") return <Later key={name} load={LATER[name]} />;
  return (
    <>
      <QueryBox />
      <Results />
    </>
  );
}

function Later({ load }: { load: () => Promise<{ default: ComponentType }> }) {
  const [Loaded, loaded] = useState<ComponentType | null>(null);
  const [hasFailed, failed] = useState(false);
  const begin = (): void => {
    failed(false);
    load().then(
      (module) => loaded(() => module.default),
      () => failed(true),
    );
  };
  useEffect(begin, []);
  if (hasFailed) return <Failed failure={asFailure(new SluiceUnreachable())} again={begin} />;
  return Loaded === null ? <p class="state quiet">{TEXT.loading}</p> : <Loaded />;
}

/** Go to the results. A link would do it by the address, which holds the search. */
function skip(): void {
  const results = document.getElementById("results");
  const target = results?.querySelector<HTMLElement>("[role=gridcell][tabindex='0'], button, [tabindex='0']");
  (target ?? results)?.focus();
}

/** Whether a page is for somebody of this role. */
function isFor(page: PageName, role: Me["role"] | undefined): boolean {
  if (page === "administration") return role === "admin";
  return page !== "live" || role === "auditor" || role === "admin";
}

function Top() {
  const who = me.value;
  const isFactorOpen = useSignal(false);
  return (
    <header class="top">
      <button type="button" class="skip" onClick={skip}>
        {TEXT.skip}
      </button>
      <h1 class="brand">{TEXT.product}</h1>
      <span class="space" />
      <nav aria-label={TEXT.product}>
        {PAGES.filter((each) => isFor(each, who?.role)).map((each) => (
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
        <a href="/docs/">{TEXT.apiDocs}</a>
      </nav>
      <Bell />
      <span class="who">
        {who?.username} <span class="quiet">{who?.role}</span>
      </span>
      <button
        type="button"
        class="small"
        onClick={() => {
          isFactorOpen.value = true;
        }}
      >
        {TEXT.secondFactor}
      </button>
      {isFactorOpen.value && (
        <FactorWindow
          close={() => {
            isFactorOpen.value = false;
          }}
        />
      )}
      <button type="button" class="small" onClick={() => logOut()}>
        {TEXT.logOut}
      </button>
    </header>
  );
}
