"""Errors of ``/oauth/`` (RFC 6749, section 5.2), which are problems to the audit trail."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

from gateway.http.problems import Code, Problem


class OAuthErrorName(StrEnum):
    """Names of errors, for programs."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    SLOW_DOWN = "slow_down"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    SERVER_ERROR = "server_error"


class OAuthError(Problem):
    """An answer that OAuth has a name for."""

    def __init__(
        self,
        name: OAuthErrorName,
        detail: str,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        code: Code = Code.MALFORMED,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, detail, headers=headers)
        self.name = name


def name_of(status: int) -> OAuthErrorName:
    """The name of another problem, by its status."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return OAuthErrorName.SLOW_DOWN
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return OAuthErrorName.TEMPORARILY_UNAVAILABLE
    return OAuthErrorName.SERVER_ERROR if status >= 500 else OAuthErrorName.INVALID_REQUEST
