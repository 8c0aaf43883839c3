"""URLs of mail services."""

from typing import Any

import pytest
from django.core.mail import get_connection

from gateway.identity.mail_url import read_mail_url

_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_AT_HOST = {"host": "mail.example", "username": "a@b", "password": "p/w", "timeout": 10}


@pytest.mark.parametrize(
    ("url", "backend", "arguments"),
    [
        ("smtp://a%40b:p%2Fw@mail.example", _SMTP, {**_AT_HOST, "port": 587, "use_tls": True, "use_ssl": False}),
        ("smtps://a%40b:p%2Fw@mail.example", _SMTP, {**_AT_HOST, "port": 465, "use_tls": False, "use_ssl": True}),
        ("smtp://127.0.0.1:1025", _SMTP, {"host": "127.0.0.1", "port": 1025, "use_tls": False}),
        ("smtp://[::1]:25/", _SMTP, {"host": "::1", "port": 25, "use_tls": False}),
        (
            "smtp://apikey:SG.k-e_y@smtp.sendgrid.net:587",
            _SMTP,
            {"host": "smtp.sendgrid.net", "port": 587, "username": "apikey", "password": "SG.k-e_y", "use_tls": True},
        ),
        (
            "smtps://AKIA:p%2Fw%2B@email-smtp.eu-west-1.amazonaws.com:465",
            _SMTP,
            {"host": "email-smtp.eu-west-1.amazonaws.com", "port": 465, "password": "p/w+", "use_ssl": True},
        ),
        ("smtp://10.0.0.1:25", _SMTP, {"host": "10.0.0.1", "use_tls": True}),
        ("file:///var/mail", "django.core.mail.backends.filebased.EmailBackend", {"file_path": "/var/mail"}),
        ("postmark://t%2F@", "anymail.backends.postmark.EmailBackend", {"server_token": "t/"}),
        (
            "mailgun://key@mg.example",
            "anymail.backends.mailgun.EmailBackend",
            {"api_key": "key", "sender_domain": "mg.example"},
        ),
    ],
)
def test_a_url_names_a_backend_and_its_arguments(url: str, backend: str, arguments: dict[str, Any]) -> None:
    read, given = read_mail_url(url)
    assert read == backend
    assert arguments.items() <= given.items()


@pytest.mark.parametrize("name", ["brevo", "postmark", "resend", "mailgun"])
def test_the_library_takes_every_provider_s_credential(name: str) -> None:
    backend, arguments = read_mail_url(f"{name}://key@{'mg.example' if name == 'mailgun' else ''}")
    assert type(get_connection(backend, **arguments)).__module__.rpartition(".")[2] == name


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://user:secret@mail.example/path",
        "smtp://user:secret@mail.example:port",
        "smtp://[::1",
        "file://host/folder",
        "file:folder",
        "postmark://",
        "postmark://secret@host",
        "mailgun://secret@",
        "unknown://secret@",
    ],
)
def test_any_other_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(ValueError, match="must be smtp://") as caught:
        read_mail_url(url)
    assert "secret" not in str(caught.value)
