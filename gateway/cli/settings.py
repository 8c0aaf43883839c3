"""Settings of the room ``cli``: the credential that the command line shows."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr
from pydantic_settings import SettingsConfigDict

from kit.settings import Settings

CREDENTIAL = re.compile(r"[!-~]{1,4096}")
"""Text that can stand in a header as it is."""


def _credential(credential: SecretStr | None) -> SecretStr | None:
    if credential is not None and not CREDENTIAL.fullmatch(credential.get_secret_value()):
        raise ValueError("must be at most 4,096 printable ASCII characters without spaces")
    return credential


class CallerSettings(Settings):
    """Credential of ``python -m gateway search``, from ``GATEWAY_TOKEN`` or ``GATEWAY_API_KEY``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    token: Annotated[SecretStr | None, AfterValidator(_credential)] = None
    api_key: Annotated[SecretStr | None, AfterValidator(_credential)] = None
