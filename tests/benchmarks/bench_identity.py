"""Timing of answers, which must tell nothing: ``python -m tests.benchmarks.bench_identity``.

Log-in with a wrong password, sign-up and a forgotten password, for known and for unknown addresses in random order,
on the embedded stack, each address once.
"""

import random
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3

from tests.benchmarks.bench_gateway import stack

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
    """Print the medians."""
    with TemporaryDirectory() as folder, stack(Path(folder), **_RATES) as (services, _):
        gateway = _Gateway(services.gateway_port)
        password = (Path(folder) / "octoOperator-password").read_text(encoding="utf-8")
        shown = {"username": "octoOperator", "password": password}
        token = gateway.post("/auth/login", shown, 200)["access_token"]
        gateway.headers = {"Authorization": f"Bearer {token}"}
        for number in range(_A_SIDE):
            user = {"username": f"known{number}", "email": f"known{number}@example.com", "password": _PASSWORD}
            gateway.post("/auth/users", user, 201)
        gateway.headers = {}
        print(f"{_A_SIDE} a side, median in ms{'':9} known  unknown  difference")
        for path, members in _ASKED.items():
            times: dict[str, list[float]] = {"known": [], "other": []}
            for number in range(_A_SIDE):
                # In random order, as a mail of the request before takes time of the next one.
                for kind, found in random.sample(list(times.items()), 2):
                    found.append(gateway.milliseconds(path, {"email": f"{kind}{number}@example.com", **members}))
            known, unknown = (statistics.median(found) for found in times.values())
            print(f"{path:32} {known:7.2f}  {unknown:7.2f}  {known - unknown:+10.2f}")


if __name__ == "__main__":
    main()
