"""Elasticsearch's answers, with the documents left as JSON texts, which take a tenth of the memory of their values."""

from typing import Any

import msgspec

from elastic.lenient_json import LenientSerializer, whole


class _Hit(msgspec.Struct):  # pylint: disable=too-few-public-methods  # it is data
    # An index can be made to keep no documents.
    source: msgspec.Raw = msgspec.field(name="_source", default=msgspec.Raw(b"{}"))
    sort: msgspec.Raw = msgspec.Raw(b"null")


class _Hits(msgspec.Struct):  # pylint: disable=too-few-public-methods  # as above
    total: Any = None
    hits: list[_Hit] = []


_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_hits = msgspec.json.Decoder(_Hits)


class DocumentSerializer(LenientSerializer):
    """Reads an answer as its base class does, except that each ``_source`` is the JSON text of the document."""

    def json_loads(self, data: bytes) -> Any:
        """Read an answer.

        Raises:
            ValueError: it is no JSON.
        """
        try:
            try:
                return self._read(data)
            except msgspec.DecodeError:
                return self._read(whole(data))
        except RecursionError:
            raise ValueError("the answer is nested too deeply") from None

    def _read(self, data: bytes) -> Any:
        try:
            members = _members.decode(data)
            hits = _hits.decode(members.pop("hits", b"null"))
        except msgspec.ValidationError:
            # It has no hits: an error, or the answer to something other than a search.
            return super().json_loads(data)
        read = super().json_loads
        answer = {name: read(bytes(text)) for name, text in members.items()}
        answer["hits"] = {"total": hits.total, "hits": [self._hit(hit) for hit in hits.hits]}
        return answer

    def _hit(self, hit: _Hit) -> dict[str, Any]:
        source = bytes(hit.source)
        # What was read has not been looked at for its bytes' being UTF-8.
        return {
            "_source": source if source.isascii() else whole(source),
            "sort": super().json_loads(bytes(hit.sort)),
        }
