"""The console's speed, in Debian's Chromium on the embedded stack: ``python -m tests.benchmarks.bench_console``.

What a person waits for: the first page, cold, on loopback and at 1.6 Mbit/s; from Enter to the first row, and how much
of that is the gateway's; from a key to the paint; completion of names and values; the caret; the longest task of a
scroll through 10,000 rows of 20 columns; and from somebody's change to the number at another's bell. Beside that, the
memory of an idle socket. Of each figure that is one of several runs the median counts.
"""

import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, sync_playwright

from local import inventory, ports, servers
from local.services import OPERATOR, USER, Services
from local.supervisor import supervisor
from tests.benchmarks import output
from tests.e2e.console import kept
from tests.support.embedded_services import SERVICE_PORTS, run_gateway, services_on
from tests.support.live import NOTIFICATIONS, VERSION, Socket
from tests.support.paths import ROOT

_OUTPUT = Path("build/bench/console.json")
_ASSETS = ROOT / "gateway" / "console" / "static" / "console" / "assets"
_RUNS = 10
_DEVICES = 10_000
_COLUMNS = [
    "Hostname",
    "Ip",
    "IpAddresses",
    "MacAddresses",
    "OS.Type",
    "OS.Name",
    "OS.Version",
    "Hardware.Vendor",
    "Hardware.Model",
    "Hardware.Serial",
    "Hardware.Cores",
    "Hardware.MemoryGb",
    "Owner",
    "Site",
    "Description",
    "Managed",
    "RiskScore",
    "FirstSeen",
    "LastSeen",
    "Domain",
]
_USERS, _SOCKETS = 32, 8
"""Users with idle sockets, and how many each has: as many as one may have."""
_BELL = """
() => {
  probe.bells = {};
  (function look() {
    const number = document.querySelector(".bell .number")?.textContent;
    if (number) probe.bells[number] ??= Date.now();
    requestAnimationFrame(look);
  })();
  probe.told = (number) => new Promise((done) => {
    const look = () => (number in probe.bells ? done(probe.bells[number]) : requestAnimationFrame(look));
    look();
  });
}
"""
_SLOW = {"offline": False, "latency": 40, "downloadThroughput": 200_000, "uploadThroughput": 90_000}
"""1.6 Mbit/s down, with the latency of a mobile network."""
_PROBE = """
(() => {
  const box = () => document.querySelector(".box")?.shadowRoot;
  const probe = { keys: [], tasks: [], waits: {} };
  window.probe = probe;
  const conditions = {
    usable: () => box()?.querySelector(".cm-content"),
    option: () => box()?.querySelector(".cm-tooltip-autocomplete li"),
    wrong: () => box()?.querySelector(".wrong"),
    row: () => document.querySelector("[data-phase=found] [data-row='0']"),
  };
  // Since a moment until the frame after the condition holds.
  probe.wait = (name, since) => new Promise((done) => {
    const end = () => done(performance.now() - since);
    const look = () => requestAnimationFrame(conditions[name]() ? end : look);
    look();
  });
  probe.usable = probe.wait("usable", 0);
  addEventListener("keydown", (event) => {
    probe.key = event.timeStamp;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => probe.keys.push(performance.now() - event.timeStamp);
      port2.postMessage(null);
    });
  }, { capture: true });
  new PerformanceObserver((list) => probe.tasks.push(...list.getEntries().map((each) => each.duration)))
    .observe({ type: "longtask" });
})();
"""


@contextmanager
def _stack(home: Path) -> Iterator[Services]:
    free = ports.free(4 + SERVICE_PORTS)
    base = servers.prepare(home, (free[0], free[1]), (free[2], free[3]))
    services = services_on(Services, home, base, free[4:], devices=_DEVICES)
    programs = [*base.programs(), *services.programs()]
    with supervisor(home, programs, services.environment()) as running:
        running.start(*base.programs())
        services.prepare()
        running.start(*services.programs())
        inventory.wait(services)
        yield services


class _Console:  # pylint: disable=too-few-public-methods  # it is opened
    """The console in one browser, and the session that each of its windows has."""

    def __init__(self, browser: Browser, services: Services) -> None:
        self._browser = browser
        self._url = services.gateway_url
        context = browser.new_context()
        page = context.new_page()
        page.goto(self._url)
        page.get_by_label("User name").fill(USER)
        page.get_by_label("Password").fill((services.home / f"{USER}-password").read_text(encoding="utf-8"))
        page.get_by_role("button", name="Log in", exact=True).click()
        page.get_by_role("textbox", name="Query").wait_for()
        self._session: Any = context.storage_state()
        context.close()

    @contextmanager
    def opened(
        self, fragment: str = "", before: Callable[[BrowserContext, Page], None] | None = None
    ) -> Iterator[Page]:
        """The page in a window that has nothing in its cache.

        Args:
            fragment: of the address.
            before: what is set before the page is asked for.
        """
        context = self._browser.new_context(storage_state=self._session, viewport={"width": 1280, "height": 800})
        context.add_init_script(_PROBE)
        page = context.new_page()
        if before is not None:
            before(context, page)
        page.goto(f"{self._url}/{fragment}")
        yield page
        page.goto("about:blank")
        context.close()


def _usable(console: _Console, before: Callable[[BrowserContext, Page], None] | None = None) -> float:
    with console.opened(before=before) as page:
        return float(page.evaluate("probe.usable"))


def _slowed(context: BrowserContext, page: Page) -> None:
    context.new_cdp_session(page).send("Network.emulateNetworkConditions", _SLOW)


def _requests(console: _Console) -> int:
    asked: list[str] = []
    with console.opened(before=lambda _, page: page.on("request", lambda request: asked.append(request.url))) as page:
        page.evaluate("probe.usable")
    return len(asked)


def _enter_to_row(page: Page, query: str) -> tuple[float, float]:
    """Milliseconds from Enter to the first row, and what of them the gateway's answer took."""
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(query)
    page.evaluate("performance.clearResourceTimings()")
    page.keyboard.press("Enter")
    waited = page.evaluate(
        "async () => { const isAsked = () => document.querySelector('[data-phase=loading]') || performance"
        ".getEntriesByType('resource').some((each) => each.name.endsWith('/search'));"
        " while (!isAsked()) await new Promise(requestAnimationFrame); return probe.wait('row', probe.key); }"
    )
    answered = page.evaluate(
        "(() => { const each = performance.getEntriesByType('resource').find((one) => one.name.endsWith('/search'));"
        " return each.responseEnd - each.requestStart; })()"
    )
    return float(waited), float(answered)


def _typing(console: _Console) -> dict[str, float]:
    """Keys, completion and caret, as somebody types."""
    names: list[float] = []
    values: list[float] = []
    carets: list[float] = []
    keys: list[float] = []
    with console.opened() as page:
        page.evaluate("probe.usable")
        box = page.get_by_role("textbox", name="Query")
        for _ in range(_RUNS):
            for text, found, condition in (
                ("Ho", names, "option"),
                ("Site = a", values, "option"),
                ("Hostnme = a ", carets, "wrong"),
            ):
                box.click()
                page.keyboard.press("Escape")
                page.keyboard.press("Control+a")
                page.keyboard.press("Delete")
                page.keyboard.insert_text(text[:-1])
                page.keyboard.press("Escape")
                page.wait_for_timeout(600)
                page.keyboard.type(text[-1])
                found.append(float(page.evaluate(f"probe.wait('{condition}', probe.key)")))
            page.evaluate("probe.keys = []")
            page.keyboard.type("OS.Type = Linux AND Hardware.Cores >= 8 AND LastSeen >= now-7d", delay=40)
            keys += page.evaluate("probe.keys")
    return {
        "key_to_paint_p95_ms": statistics.quantiles(keys, n=20)[-1],
        "completion_names_ms": statistics.median(names),
        "completion_ms": statistics.median(values),
        "caret_ms": statistics.median(carets),
    }


def _scroll(console: _Console) -> tuple[int, float]:
    """Rows that a scroll to the end has gone through, and the longest task on the way (0: none over 50 ms)."""
    columns = "".join(f"&col={name}" for name in _COLUMNS)
    with console.opened(f"#q={columns}") as page:
        page.wait_for_selector("[data-phase=found] [data-row='0']")
        page.evaluate("probe.tasks = []")
        page.mouse.move(640, 500)
        for _ in range(3_000):
            page.mouse.wheel(0, 1_600)
            page.wait_for_timeout(16)
            if page.locator(".foot", has_text="all read").count():
                break
        last = page.evaluate(
            "Math.max(...[...document.querySelectorAll('[data-row]')].map((each) => +each.dataset.row))"
        )
        return int(last) + 1, max(page.evaluate("probe.tasks"), default=0.0)


def _notified(console: _Console, services: Services) -> float:
    """Milliseconds from when somebody shares a search to the number at the bell of whom it is shared with."""
    asked: list[str] = []

    def follow(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: asked.append(str(frame)))

    waited: list[float] = []
    with console.opened(before=lambda _, page: page.on("websocket", follow)) as page:
        while not any("since" in frame for frame in asked):
            page.wait_for_timeout(100)
        page.evaluate(_BELL)
        unread = kept.ask(services, "GET", "/notifications")["unread"]
        shared: dict[str, Any] = {"visibility": "users", "users": [{"user": USER, "role": "viewer"}]}
        for number in range(unread + 1, unread + _RUNS + 1):
            begun = time.time() * 1000
            made = {"title": f"Linux {number}", "query": "OS.Type = Linux", "index": "devices"}
            kept.ask(services, "POST", "/searches/", OPERATOR, **made, **shared)
            waited.append(float(page.evaluate("(number) => probe.told(number)", str(number))) - begun)
    return statistics.median(waited)


def _memory_of_a_socket(services: Services) -> float:
    """Kibibytes that the process of live sockets takes for one that is idle."""
    names = [f"listener{number}" for number in range(_USERS)]
    code = f"from gateway.identity.models import User; [User.objects.create(username=name) for name in {names}]"
    run_gateway(services, "shell", "--no-imports", "-c", code)
    (live,) = [
        process
        for process in psutil.Process().children(recursive=True)
        if process.cmdline()[-3:] == ["-m", "gateway", "live"]
    ]
    url = f"ws://127.0.0.1:{services.live_port}{NOTIFICATIONS}"

    def opened(name: str) -> Socket:
        socket = Socket(url, [VERSION], {"Authorization": inventory.authorization(name)})
        socket.expect("hello")
        return socket

    with ExitStack() as sockets:
        # What is loaded once is loaded.
        for _ in range(_SOCKETS):
            sockets.enter_context(opened(names[0]))
        before = live.memory_info().rss
        for name in names[1:]:
            for _ in range(_SOCKETS):
                sockets.enter_context(opened(name))
        return float(live.memory_info().rss - before) / ((_USERS - 1) * _SOCKETS) / 1024


def _sizes() -> tuple[float, float]:
    """Kilobytes of the first page's script and style sheet by gzip."""
    (script,) = _ASSETS.glob("index-*.js.gz")
    (style,) = _ASSETS.glob("index-*.css.gz")
    return script.stat().st_size / 1000, style.stat().st_size / 1000


def _measure(browser: Browser, services: Services) -> dict[str, Any]:
    console = _Console(browser, services)
    script, style = _sizes()
    usable = statistics.median(_usable(console) for _ in range(_RUNS))
    slow = statistics.median(_usable(console, _slowed) for _ in range(3))
    with console.opened() as page:
        page.evaluate("probe.usable")
        page.get_by_role("textbox", name="Query").click()
        enters = [_enter_to_row(page, f"Site = ankara AND RiskScore >= {number}") for number in range(_RUNS + 1)][1:]
    rows, task = _scroll(console)
    return {
        "js_gzip_kb": script,
        "css_gzip_kb": style,
        "requests": _requests(console),
        "usable_ms": usable,
        "usable_slow_ms": slow,
        "enter_to_row_ms": statistics.median(whole for whole, _ in enters),
        "enter_to_row_page_ms": statistics.median(whole - gateway for whole, gateway in enters),
        **_typing(console),
        "scroll_rows": rows,
        "scroll_longest_task_ms": task,
        "notify_ms": _notified(console, services),
        "socket_kib": _memory_of_a_socket(services),
    }


def main() -> int:
    """Measure, print the figures and write them as JSON."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("There is no Chromium here (Debian: apt install chromium).", file=sys.stderr)
        return 1
    with (
        TemporaryDirectory(prefix="sluice-bench-") as folder,
        _stack(Path(folder)) as services,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        figures = _measure(browser, services)
        browser.close()
    for name, value in figures.items():
        print(f"{name:24} {value:10,.1f}")
    output.write(_OUTPUT, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
