"""Identity on the embedded stack: ``python -m tests.benchmarks.bench_identity``.

Log-in with a wrong password, sign-up and a forgotten password, for known and for unknown addresses in random order,
each address once, which must take the same time; fifty refreshes at once with one token; the costs of tokens
(``identity_costs``); and the lines of code of the room ``identity``. ``build/bench/identity.json`` has the figures.
"""

import random
import statistics
import subprocess
import sys
import time
import tokenize
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import urllib3

from local.services import Services
from local.supervisor import clean_environment
from tests.benchmarks import output
from tests.benchmarks.bench_gateway import stack
from tests.support.paths import ROOT

_OUTPUT = Path("build/bench/identity.json")
_ROOM = ROOT / "gateway" / "identity"
_BETWEEN = (tokenize.ENCODING, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
_NO_CODE = (*_BETWEEN, tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER)
_AT_ONCE = 50
_A_SIDE = 500
_PASSWORD = "correct horse battery staple"
_ENDLESS = "1000000/second"
_RATES = {
    "GATEWAY_MAIL_RATE": _ENDLESS,
    "GATEWAY_LOGIN_FAILURES": _ENDLESS,
    "GATEWAY_ADDRESS_LOGIN_FAILURES": _ENDLESS,
    "GATEWAY_RECORDED_REFUSALS": "100000000/second",
}
_ASKED: dict[str, dict[str, Any]] = {
    "/auth/login": {"password": "another horse, another battery"},
    "/auth/signup": {"password": _PASSWORD, "full_name": "Ayşe Yılmaz"},
    "/auth/password/forgot": {},
}


class _Gateway:
    """A gateway, asked over one connection."""

    def __init__(self, port: int) -> None:
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1, retries=False)
        self.headers: dict[str, str] = {}

    def post(self, path: str, body: dict[str, Any], expected: int) -> Any:
        """Ask, and look at the status."""
        response = self._pool.request("POST", path, json=body, headers=self.headers)
        assert response.status == expected, response.data
        return response.json()

    def milliseconds(self, path: str, body: dict[str, Any]) -> float:
        """Time of an answer."""
        begun = time.perf_counter()
        self.post(path, body, 401 if path == "/auth/login" else 202)
        return (time.perf_counter() - begun) * 1000


def main() -> None:
    """Measure, print, and write the file."""
    with TemporaryDirectory() as folder, stack(Path(folder), **_RATES) as (services, _):
        gateway = _Gateway(services.gateway_port)
        password = (Path(folder) / "octoOperator-password").read_text(encoding="utf-8")
        shown = {"username": "octoOperator", "password": password}
        found = {
            "refreshes": _refresh_at_once(services.gateway_port, gateway.post("/auth/login", shown, 200)),
            "tokens": _tokens(services),
            "addresses": _addresses(gateway, shown),
            "lines": _lines(),
        }
    print(f"{_A_SIDE} a side, median in ms{'':9} known  unknown  difference")
    for path, medians in found["addresses"].items():
        known, unknown = medians["known"], medians["unknown"]
        print(f"{path:32} {known:7.2f}  {unknown:7.2f}  {known - unknown:+10.2f}")
    for name in ("refreshes", "tokens", "lines"):
        print(f"{name}: {orjson.dumps(found[name]).decode()}")
    output.write(_OUTPUT, found)


def _addresses(gateway: _Gateway, operator: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The medians of each endpoint, for known and unknown addresses."""
    token = gateway.post("/auth/login", operator, 200)["access_token"]
    gateway.headers = {"Authorization": f"Bearer {token}"}
    for number in range(_A_SIDE):
        user = {"username": f"known{number}", "email": f"known{number}@example.com", "password": _PASSWORD}
        gateway.post("/auth/users", user, 201)
    gateway.headers = {}
    found = {}
    for path, members in _ASKED.items():
        times: dict[str, list[float]] = {"known": [], "unknown": []}
        for number in range(_A_SIDE):
            # In random order, as a mail of the request before takes time of the next one.
            for kind, each in random.sample(list(times.items()), 2):
                each.append(gateway.milliseconds(path, {"email": f"{kind}{number}@example.com", **members}))
        found[path] = {kind: statistics.median(each) for kind, each in times.items()}
    return found


def _refresh_at_once(port: int, tokens: dict[str, Any]) -> dict[str, Any]:
    """Renew one log-in many times at once: how the answers are, how many successors there are, how long it takes."""
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=_AT_ONCE, retries=False)
    body = {"refresh_token": tokens["refresh_token"]}
    begun = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as clients:
        sent = [clients.submit(pool.request, "POST", "/auth/token/refresh", json=body) for _ in range(_AT_ONCE)]
        answers = [each.result() for each in sent]
    milliseconds = (time.perf_counter() - begun) * 1000
    return {
        "statuses": {str(status): number for status, number in Counter(each.status for each in answers).items()},
        "successors": len({each.json().get("refresh_token") for each in answers}),
        "milliseconds": round(milliseconds, 1),
    }


def _tokens(services: Services) -> Any:
    """The costs of tokens, measured in a process with the gateway's settings."""
    command = [sys.executable, "-m", "tests.benchmarks.identity_costs"]
    environment = clean_environment(services.environment())
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return orjson.loads(done.stdout.splitlines()[-1])


def _lines() -> dict[str, int]:
    """The lines of code of each module of the room, without comments, docstrings and migrations."""
    modules = sorted(path for path in _ROOM.rglob("*.py") if "migrations" not in path.parts)
    return {str(path.relative_to(_ROOM)): _lines_of(path) for path in modules}


def _lines_of(path: Path) -> int:
    found: set[int] = set()
    is_start = True
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            is_docstring = is_start and token.type == tokenize.STRING
            if token.type not in _NO_CODE and not is_docstring:
                found.update(range(token.start[0], token.end[0] + 1))
            if token.type not in (tokenize.COMMENT, tokenize.NL):
                is_start = token.type in _BETWEEN
    return len(found)


if __name__ == "__main__":
    main()
