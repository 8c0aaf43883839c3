"""An auditor's look at names is on the audit trail."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from lake.command_line import main
from tests.support import topic
from tests.support.lake import lake_in, write_events
from tests.support.marts import TODAY, asked
from tests.support.query_event import read_event


@pytest.fixture
def looks(kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic of the test's own, for the looks."""
    name = f"looks-{uuid4().hex[:12]}"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for made in admin.create_topics([NewTopic(name, 1, 1)]).values():
        made.result(30)
    topic.wait_for_leaders(kafka_bootstrap, name, [0])
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka_bootstrap)
    monkeypatch.setenv("AUDIT_TOPIC", name)
    return name


def test_names_are_shown_once_the_look_is_on_the_trail(
    looks: str,
    kafka_bootstrap: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lake = lake_in(tmp_path)
    write_events(lake, [asked(9, user="ann-of-accounts"), asked(9, user=None)])
    monkeypatch.setenv("LAKE_URL", lake.settings.url)
    assert main(["report", "--by", "user", "--names", "--csv"]) == 0
    names = sorted(row.split(",")[0] for row in capsys.readouterr().out.splitlines()[1:])
    assert names == ["", "ann-of-accounts"]
    events = [read_event(record.value()) for record in topic.records(kafka_bootstrap, looks, [0])]
    assert [(event["event_type"], event["metadata"]["service"]) for event in events] == [("admin.changed", "lake")]
    look = f"report with names: {TODAY - timedelta(days=6)} to {TODAY}, by user, 100 rows"
    assert [event["data"]["query"] for event in events] == [look]
