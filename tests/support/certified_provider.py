"""A certified OpenID provider (npm: oidc-provider) as a process, and the browser of who logs in at it; wants Node."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urljoin

import requests

from local import ports
from tests.support.hostile_provider import CALLBACK, CLIENT_ID, CLIENT_SECRET
from tests.support.paths import ROOT
from tests.support.process import find_program, running
from tests.support.waiting import wait_until_up

OTHER_CALLBACK = "https://program.example/callback"
"""Where a program of its own is sent back to, which gets an ID token that it shows to the gateway."""
_CALLBACKS = (CALLBACK, OTHER_CALLBACK)
_MAX_REDIRECTS = 20


@dataclass(frozen=True, slots=True)
class CertifiedProvider:
    """The provider of one client; each person whom a test names has an account."""

    issuer: str
    method: str

    def choose(self, url: str, person: str = "ada") -> str:
        """Log in at the provider and consent; gives the address that it sends the browser back to."""
        return self._walk(url, {"login": {"prompt": "login", "login": person, "password": "any"}, "consent": {}})

    def abort(self, url: str) -> str:
        """Leave the provider's page by its way out; gives the address that it sends the browser back to."""
        return self._walk(url, {})

    def exchange(self, code: str, verifier: str) -> dict[str, Any]:
        """Exchange a code as a program of its own does."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": OTHER_CALLBACK,
        }
        auth = None
        if self.method == "client_secret_basic":
            auth = (CLIENT_ID, quote_plus(CLIENT_SECRET))
        else:
            form |= {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        answer = requests.post(f"{self.issuer}/token", form, auth=auth, timeout=10)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def _walk(self, url: str, submitted: dict[str, dict[str, str]]) -> str:
        """Follow redirects and submit forms until the provider sends the browser elsewhere."""
        with requests.Session() as browser:
            answer = browser.get(url, allow_redirects=False, timeout=10)
            for _ in range(_MAX_REDIRECTS):
                if answer.is_redirect:
                    url = urljoin(url, answer.headers["Location"])
                    if not url.startswith(f"{self.issuer}/"):
                        return url
                    answer = browser.get(url, allow_redirects=False, timeout=10)
                    continue
                assert answer.status_code == 200, answer.text
                prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                assert prompt is not None, answer.text
                form = submitted.get(prompt[1])
                if form is None:
                    answer = browser.get(f"{url}/abort", allow_redirects=False, timeout=10)
                else:
                    answer = browser.post(url, {"prompt": prompt[1], **form}, allow_redirects=False, timeout=10)
        raise AssertionError(f"the provider redirects again and again: {url}")


@contextmanager
def certified_provider(algorithm: str, method: str) -> Iterator[CertifiedProvider]:
    """Serve the provider while the context lasts; the test is skipped without Node, except in CI.

    Args:
        algorithm: that it signs ID tokens with.
        method: how the client shows its secret.
    """
    find_program("npm")
    node = find_program("node")
    subprocess.run(["make", "--silent", "build/oidc-provider/made.stamp"], cwd=ROOT, check=True)
    port = ports.free(1)[0]
    program = str(ROOT / "build" / "oidc-provider" / "serve.mjs")
    command = [sys.executable, "-m", "local.tether", node, program, str(port), algorithm, method, *_CALLBACKS]
    with running(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        issuer = f"http://127.0.0.1:{port}"
        wait_until_up(f"{issuer}/.well-known/openid-configuration")
        yield CertifiedProvider(issuer, method)
