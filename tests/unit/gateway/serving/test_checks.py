"""The gateway's system checks."""

from django.core.checks import run_checks
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from pytest_django import Settings

from gateway.audit.settings import AuditMode
from gateway.serving.checks import check_for_serving
from gateway.serving.settings import ProcessRole


def _ids() -> list[str | None]:
    return [message.id for message in check_for_serving()]


def test_a_sound_configuration_has_nothing_to_say(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"secret_key": SecretStr("long and random" * 4)})
    assert not _ids()


def test_a_missing_secret_key_is_an_error(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"secret_key": SecretStr("")})
    assert _ids() == ["gateway.E001"]
    assert check_for_serving()[0].is_serious()


def test_a_short_secret_key_is_an_error(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"secret_key": SecretStr("x" * 49)})
    assert _ids() == ["gateway.E001"]
    assert check_for_serving()[0].is_serious()


def test_a_missing_signing_key_is_an_error(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"jwt_keys": SecretStr("")})
    assert _ids() == ["gateway.E002"]
    assert check_for_serving()[0].is_serious()


def test_a_public_key_is_enough_for_a_query_gateway_alone(settings: Settings) -> None:
    public = RSAKey.generate_key(2048).as_pem(private=False).decode()
    update = {"jwt_keys": SecretStr(public), "secret_key": SecretStr("x" * 50), "unsigned_tokens": False}
    settings.GATEWAY = settings.GATEWAY.model_copy(update=update)
    errors = check_for_serving()
    assert [each.id for each in errors] == ["gateway.E002"]
    assert "must be a private one" in errors[0].msg
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"role": ProcessRole.QUERY})
    assert not check_for_serving()


def test_unsigned_tokens_are_a_warning(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"unsigned_tokens": True, "secret_key": SecretStr("x" * 50)})
    assert _ids() == ["gateway.W001"]
    assert not check_for_serving()[0].is_serious()


def test_a_trail_that_may_lose_events_is_a_warning(settings: Settings) -> None:
    update = {"audit_mode": AuditMode.ASYNC, "secret_key": SecretStr("x" * 50)}
    settings.GATEWAY = settings.GATEWAY.model_copy(update=update)
    assert _ids() == ["gateway.W002"]
    assert not check_for_serving()[0].is_serious()


def test_a_command_that_does_not_serve_needs_no_check(settings: Settings) -> None:
    update = {"secret_key": SecretStr(""), "jwt_keys": SecretStr(""), "unsigned_tokens": True}
    settings.GATEWAY = settings.GATEWAY.model_copy(update=update)
    assert not run_checks()
