"""URL of the mail service: an SMTP server, a provider of mail, or a folder."""

from typing import Any
from urllib.parse import unquote, urlsplit

from gateway.identity.hosts import is_loopback

_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_FILES = "django.core.mail.backends.filebased.EmailBackend"
_TIMEOUT_SECONDS = 10
_PROVIDERS = {
    "brevo": "api_key",
    "mailgun": "api_key",
    "postmark": "server_token",
    "resend": "api_key",
}
"""Providers that django-anymail sends by, and what each calls its credential."""


def read_mail_url(url: str) -> tuple[str, dict[str, Any]]:
    """Read the URL of a mail service.

    Args:
        url: ``smtp://user:password@host:587`` (with STARTTLS, except to this machine), ``smtps://…:465``,
            ``postmark://token@`` and so on for each of the providers (Mailgun's with the sender's domain behind the
            ``@``), or ``file:///folder``.

    Returns:
        Django's backend, and its arguments.

    Raises:
        ValueError: it has another form; says nothing of what is in it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _unreadable() from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return _FILES, {"file_path": unquote(parts.path)}
    if parts.scheme in ("smtp", "smtps") and host and parts.path in ("", "/"):
        is_tls = parts.scheme == "smtps"
        return _SMTP, {
            "host": host,
            "port": port or (465 if is_tls else 587),
            "username": user,
            "password": password,
            "use_ssl": is_tls,
            "use_tls": not is_tls and not is_loopback(host),
            "timeout": _TIMEOUT_SECONDS,
        }
    if parts.scheme in _PROVIDERS and user and bool(host) == (parts.scheme == "mailgun"):
        domain = {"sender_domain": host} if host else {}
        return f"anymail.backends.{parts.scheme}.EmailBackend", {_PROVIDERS[parts.scheme]: user, **domain}
    raise _unreadable()


def _unreadable() -> ValueError:
    return ValueError(
        "must be smtp://user:password@host:587, smtps://user:password@host:465, file:///folder, mailgun://key@domain, "
        f"or one of {', '.join(f'{name}://key@' for name in _PROVIDERS if name != 'mailgun')}, "
        "each part of it percent-encoded"
    )
