"""Settings of the marts: where they are written besides the lake."""

from typing import Annotated

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, Field, SecretStr

from lake.settings import LakeSettings

SQLITE = "sqlite:///"
_POSTGRESQL = ("postgres://", "postgresql://")


def _database_url(url: SecretStr | None) -> SecretStr | None:
    text = "" if url is None else url.get_secret_value()
    if url is None or (text.startswith(SQLITE) and text != SQLITE):
        return url
    try:
        if text.startswith(_POSTGRESQL) and conninfo_to_dict(text).get("dbname"):
            return url
    except psycopg.ProgrammingError:
        # Its text has parts of the URL, which has a password.
        pass
    raise ValueError(
        "must be sqlite:/// and a path, or postgres://user:password@host:port/name, each part of it percent-encoded"
    )


class MartSettings(LakeSettings):
    """The lake, and the database that has its marts too."""

    analytics_url: Annotated[SecretStr | None, AfterValidator(_database_url)] = Field(
        default=None,
        description="database in which dashboards find the marts: postgres://… (schema analytics) or sqlite:///PATH",
    )
