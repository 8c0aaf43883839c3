"""The main job: a search is answered, its event is on the topic, and its document in the day's audit index."""

import io

from rich.console import Console

from local import demo
from local.services import Services


def test_a_search_is_answered_recorded_and_indexed(services: Services) -> None:
    printed = io.StringIO()
    demo.show(services, Console(file=printed, width=200))
    output = printed.getvalue()
    assert "12 devices" in output
    assert '"event_type":"query.executed"' in output
    assert "query-logs-20" in output
    assert '"user.name"' in output or '"name": "octoAdmin"' in output
