"""A stream after its request: its parts are read in another context, and still belong to the request."""

import json
from typing import Any, ClassVar
from unittest.mock import Mock

import pytest
from pytest_django import Settings

from elastic.settings import ElasticsearchSettings
from gateway.audit.draft import EventDraft
from gateway.http.correlation import Correlation, correlated, current_correlation
from gateway.identity.models import User
from gateway.search.request import SearchPlan, SearchRequest
from gateway.search.streams import DocumentStream
from tests.support.http_server import ElasticsearchHandler, serving

_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_PAGES = 3


class _Elasticsearch(ElasticsearchHandler):
    """Has a point in time of ``_PAGES`` full pages, and notes by whom it is asked."""

    asked: ClassVar[list[tuple[str | None, ...]]] = []
    pages: ClassVar[int] = 0

    def do_POST(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
        """A point in time, or its next page."""
        body = self._note()
        if "_pit" in self.path:
            self.answer({"id": "a point in time"})
            return
        type(self).pages += 1
        count = body["size"] if self.pages < _PAGES else 1
        hits = [{"_source": {"Hostname": "a"}, "sort": [number]} for number in range(count)]
        total = {"value": count, "relation": "eq"}
        self.answer({"took": 1, "pit_id": "a point in time", "hits": {"total": total, "hits": hits}})

    def do_DELETE(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
        """The end of the point in time."""
        self._note()
        self.answer({"succeeded": True})

    def _note(self) -> Any:
        names = ("X-Opaque-Id", "X-Request-ID", "traceparent")
        self.asked.append((self.command, *(self.headers[name] for name in names)))
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")


def test_every_request_for_its_parts_carries_the_ids_of_the_request(settings: Settings) -> None:
    request = SearchRequest(query="")
    plan = SearchPlan(request, "devices", {"match_all": {}}, sort=[], source=True, notices=[])
    with serving(_Elasticsearch) as url:
        settings.ELASTICSEARCH = ElasticsearchSettings(url=url)
        with correlated(Correlation("r-1", _TRACEPARENT, _TRACEPARENT.split("-")[1])):
            stream = DocumentStream(User(pk=1), Mock(EventDraft, query_id="q-1"), plan, lambda: None)
        with pytest.raises(LookupError):
            current_correlation()
        parts = list(stream)
        stream.close()
    assert len(parts) == _PAGES
    methods = [method for method, *_ in _Elasticsearch.asked]
    assert methods == ["POST"] * (1 + _PAGES) + ["DELETE"]
    assert {tuple(ids) for _, *ids in _Elasticsearch.asked} == {("r-1", "r-1", _TRACEPARENT)}
