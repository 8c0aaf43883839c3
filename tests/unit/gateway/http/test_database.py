"""Database URLs, as Django's settings."""

from pathlib import Path

import pytest
from django.db.utils import ConnectionHandler

from gateway.http.database import read_database_url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///sluice.db", "sluice.db"),
        ("sqlite:////var/lib/sluice/a%20b?#.db", "/var/lib/sluice/a%20b?#.db"),
    ],
)
def test_text_after_three_slashes_is_a_path_to_the_letter(url: str, name: str) -> None:
    assert read_database_url(url)["NAME"] == name


@pytest.mark.django_db
def test_sqlite_has_each_commit_on_the_disk_before_it_answers(tmp_path: Path) -> None:
    connection = ConnectionHandler({"default": read_database_url(f"sqlite:///{tmp_path / 'a.db'}")})["default"]
    with connection.cursor() as cursor:
        # 2: FULL (https://sqlite.org/pragma.html#pragma_synchronous).
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2)):
            assert cursor.execute(f"PRAGMA {pragma}").fetchone() == (value,)
    connection.close()
    # The library's default may be another one where it was built with it.
    assert "synchronous=FULL" in str(read_database_url("sqlite:///a.db")["OPTIONS"])


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_url_of_postgresql_is_taken_apart(scheme: str) -> None:
    read = read_database_url(f"{scheme}://sluice:p%40ss%2Fword@db.example:5433/users?sslmode=verify-full")
    parts = (read["ENGINE"], read["USER"], read["PASSWORD"], read["HOST"], read["PORT"], read["NAME"])
    assert parts == ("django.db.backends.postgresql", "sluice", "p@ss/word", "db.example", 5433, "users")
    assert read["OPTIONS"]["sslmode"] == "verify-full"


def test_connections_to_postgresql_are_kept_and_looked_at_before_use() -> None:
    read = read_database_url("postgres://db/users")
    assert (read["CONN_MAX_AGE"], read["CONN_HEALTH_CHECKS"]) == (None, True)


def test_a_connection_to_postgresql_and_a_statement_have_time_limits() -> None:
    options = read_database_url("postgres://db/users")["OPTIONS"]
    assert options["connect_timeout"] == 3
    assert options["options"] == "-c statement_timeout=10000"
    assert (options["tcp_user_timeout"], options["keepalives"]) == (10_000, 1)


def test_options_in_the_url_go_before_the_usual_ones() -> None:
    assert read_database_url("postgres://db/users?connect_timeout=1")["OPTIONS"]["connect_timeout"] in (1, "1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite:///",
        "sqlite://sluice.db",
        "postgres://",
        "postgres://db",
        "postgres://db/",
        "postgres://u:hush@db:port/name",
        "postgres://u:hush@[db/name",
        "mysql://u:hush@db/name",
        "mysql+postgres://u:hush@db/name",
    ],
)
def test_anything_else_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="must be sqlite:///") as raised:
        read_database_url(url)
    assert "hush" not in str(raised.value)
