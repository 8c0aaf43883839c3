"""A gateway that is asked over HTTP, as anybody asks it: for ``python -m gateway search`` and ``import``."""

import base64
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import orjson
import urllib3
from django.core.management.base import OutputWrapper
from urllib3.exceptions import HTTPError, LocationValueError

from gateway.cli.settings import CREDENTIAL, CallerSettings
from gateway.identity.authentication import BEARER, SCHEME
from kit.settings import ConfigurationError
from kit.terminal import printable

REFUSED = 2
FAILED = 1

_TIMEOUT_SECONDS = 30.0
_NO_GATEWAY = "the answer is not a gateway's"


class NoAnswer(Exception):
    """There is a reason instead of an answer, fit for a terminal, and the exit status that goes with it."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


@contextmanager
def explained(stderr: OutputWrapper) -> Iterator[None]:
    """End the command with an exit status where the block has no answer, whose reason is printed."""
    try:
        yield
    except ConfigurationError as error:
        stderr.write(str(error))
        sys.exit(REFUSED)
    except NoAnswer as error:
        # Not a CommandError, whose prefix would push the caret out of line.
        stderr.write(str(error))
        sys.exit(error.status)


def authorization(url: str, user: str | None, caller: CallerSettings) -> str:
    """Header that identifies the caller: the unsigned one where a user is named, else a signed token.

    Args:
        url: the gateway's; an API key is exchanged for a token there.
        user: whom the unsigned header is to name, or None.
        caller: the credentials from the environment.

    Raises:
        NoAnswer: there are no credentials, or the gateway refuses them.
    """
    if user is not None:
        return f"{SCHEME} {base64.b64encode(user.encode()).decode()}"
    if caller.token is not None:
        return f"{BEARER} {caller.token.get_secret_value()}"
    if caller.api_key is not None:
        answer = post(f"{url}/auth/token", {"api_key": caller.api_key.get_secret_value()}, {"access_token"})
    elif caller.username is not None and caller.password is not None and caller.client_id is not None:
        answer = _password_grant(url, caller)
    else:
        raise NoAnswer(
            "say who asks: set GATEWAY_TOKEN or GATEWAY_API_KEY, or GATEWAY_TOKEN_FILE or GATEWAY_API_KEY_FILE to a "
            "file that holds it; or, where the gateway takes the password grant, GATEWAY_USERNAME, GATEWAY_CLIENT_ID "
            "and GATEWAY_PASSWORD_FILE; or, where it takes unsigned tokens, name a known user with --user",
            REFUSED,
        )
    token = answer["access_token"]
    if not isinstance(token, str) or not CREDENTIAL.fullmatch(token):
        raise NoAnswer(_NO_GATEWAY, FAILED)
    return f"{BEARER} {token}"


def post(url: str, body: dict[str, Any], members: set[str], authorized: str | None = None) -> dict[str, Any]:
    """Ask a gateway.

    Args:
        url: with the path.
        body: to be written as JSON.
        members: what the answer has at least.
        authorized: the ``Authorization`` header, if any.

    Raises:
        NoAnswer: nobody answers, or not with success.
    """
    headers = {"Content-Type": "application/json"} | ({} if authorized is None else {"Authorization": authorized})
    return _send(url, orjson.dumps(body), headers, members)


def _password_grant(url: str, caller: CallerSettings) -> dict[str, Any]:
    """Log in by the password grant of OAuth (RFC 6749, section 4.3).

    Raises:
        NoAnswer: nobody answers, or not with success.
    """
    assert caller.password is not None
    form = {
        "grant_type": "password",
        "username": caller.username,
        "password": caller.password.get_secret_value(),
        "client_id": caller.client_id,
    }
    if caller.client_secret is not None:
        form["client_secret"] = caller.client_secret.get_secret_value()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return _send(f"{url}/oauth/token", urlencode(form).encode(), headers, {"access_token"})


def _send(url: str, body: bytes, headers: dict[str, str], members: set[str]) -> dict[str, Any]:
    try:
        response = urllib3.request(
            "POST", url, body=body, headers=headers, retries=False, redirect=False, timeout=_TIMEOUT_SECONDS
        )
        answer = orjson.loads(response.data)
    except (HTTPError, LocationValueError, orjson.JSONDecodeError) as error:
        raise NoAnswer(f"no answer from {printable(url)}: {error.__class__.__name__}", FAILED) from None
    if response.status != HTTPStatus.OK:
        raise NoAnswer(_explanation(answer), REFUSED if 400 <= response.status < 500 else FAILED)
    if not isinstance(answer, dict) or not answer.keys() >= members:
        raise NoAnswer(_NO_GATEWAY, FAILED)
    return answer


def send_lines(url: str, body: Iterable[bytes], media_type: str, authorized: str) -> Iterator[dict[str, Any]]:
    """Send a body of any length to a gateway, whose answer is a JSON object a line.

    Args:
        url: with the path.
        body: its parts.
        media_type: of the body.
        authorized: the ``Authorization`` header.

    Raises:
        NoAnswer: nobody answers, or not with success.
    """
    headers = {"Content-Type": media_type, "Authorization": authorized}
    try:
        response = urllib3.request(
            "POST",
            url,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            timeout=_TIMEOUT_SECONDS,
            preload_content=False,
        )
        with response:
            if response.status != HTTPStatus.OK:
                problem = orjson.loads(response.data)
                raise NoAnswer(_explanation(problem), REFUSED if 400 <= response.status < 500 else FAILED)
            for line in io.BufferedReader(response):
                answer = orjson.loads(line)
                if not isinstance(answer, dict):
                    raise NoAnswer(_NO_GATEWAY, FAILED)
                yield answer
    except (HTTPError, LocationValueError, orjson.JSONDecodeError, OSError) as error:
        raise NoAnswer(f"no answer from {printable(url)}: {error.__class__.__name__}", FAILED) from None


def _explanation(problem: Any) -> str:
    if not isinstance(problem, dict):
        return _NO_GATEWAY
    # As a problem has it, or an error of OAuth.
    detail = problem.get("detail", problem.get("error_description"))
    if not isinstance(detail, str):
        return _NO_GATEWAY
    picture = str(problem.get("caret", "")).splitlines()
    return "\n".join(printable(line) for line in [*picture, detail])
