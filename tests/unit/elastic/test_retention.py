"""Deletion by the cluster itself; the embedded server cannot, so a server of the test's own takes the policy down."""

import json
from typing import Any

import pytest

from elastic.bootstrap import bootstrap, templates
from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from tests.support.http_server import ElasticsearchHandler, serving


def test_a_cluster_that_can_gets_the_policy_before_the_template_that_names_it() -> None:
    requests: list[tuple[str, dict[str, Any]]] = []

    class Managing(ElasticsearchHandler):
        """Answers like the full distribution."""

        def do_GET(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
            """It manages."""
            self.answer({"operation_mode": "RUNNING"})

        def do_PUT(self) -> None:  # pylint: disable=invalid-name
            """Take something down."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, json.loads(body)))
            self.answer({"acknowledged": True})

    with serving(Managing) as url, connect(ElasticsearchSettings(url=url)) as client:
        said = bootstrap(client, keep_days=90)

    assert "deleted after 90 days" in said
    path, policy = requests[0]
    assert path == "/_ilm/policy/query-logs"
    assert policy["policy"]["phases"]["delete"]["min_age"] == "90d"
    installed = dict(requests[1:])
    settings = installed["/_index_template/query-logs"]["template"]["settings"]
    assert settings["index.lifecycle.name"] == "query-logs"
    assert settings["index.lifecycle.parse_origination_date"] is True
    assert installed["/_index_template/devices"] == templates()["devices"]


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_cluster_that_cannot_is_told_of(status: int) -> None:
    class Lacking(ElasticsearchHandler):
        """Knows no such path."""

        def do_GET(self) -> None:  # pylint: disable=invalid-name
            """It does not manage."""
            self.answer({}, status)

        def do_PUT(self) -> None:  # pylint: disable=invalid-name
            """Take a template."""
            self.rfile.read(int(self.headers["Content-Length"]))
            assert "_ilm" not in self.path
            self.answer({})

    with serving(Lacking) as url, connect(ElasticsearchSettings(url=url)) as client:
        assert "prune --keep-days" in bootstrap(client)
