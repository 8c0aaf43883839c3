"""Settings of the room ``cli``: the credential that the command line shows."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from kit.settings import Settings

CREDENTIAL = re.compile(r"[!-~]{1,4096}")
"""Text that can stand in a header as it is."""


def _credential(credential: SecretStr | None) -> SecretStr | None:
    if credential is not None and not CREDENTIAL.fullmatch(credential.get_secret_value()):
        raise ValueError("must be at most 4,096 printable ASCII characters without spaces")
    return credential


class CallerSettings(Settings):
    """Credentials of ``python -m gateway search``: ``GATEWAY_TOKEN``, or ``GATEWAY_API_KEY``, or name, password and the
    OAuth client that has the password grant.
    """

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    token: Annotated[SecretStr | None, AfterValidator(_credential)] = None
    api_key: Annotated[SecretStr | None, AfterValidator(_credential)] = None
    username: str | None = Field(default=None, max_length=150)
    password: SecretStr | None = Field(default=None, max_length=1024)
    client_id: str | None = Field(default=None, max_length=128)
    client_secret: SecretStr | None = Field(default=None, max_length=128)
