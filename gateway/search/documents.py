"""Answers of Elasticsearch and of the translator; documents are left as JSON texts, a tenth as large as values."""

from typing import Any

import msgspec

from elastic.lenient_json import loads, whole


class _Hit(msgspec.Struct):  # pylint: disable=too-few-public-methods  # it is data
    # An index can be made to keep no documents.
    source: msgspec.Raw = msgspec.field(name="_source", default=msgspec.Raw(b"{}"))
    sort: msgspec.Raw = msgspec.Raw(b"null")
    id: str = msgspec.field(name="_id", default="")


class _Hits(msgspec.Struct):  # pylint: disable=too-few-public-methods  # as above
    total: Any = None
    hits: list[_Hit] = []


_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_hits = msgspec.json.Decoder(_Hits)


def read_answer(text: bytes | bytearray) -> Any:
    """Read an answer, each ``_source`` as the JSON text of the document.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        try:
            return _read(text)
        except msgspec.DecodeError:
            return _read(whole(text))
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None


def _read(text: bytes | bytearray) -> Any:
    try:
        members = _members.decode(text)
        hits = _hits.decode(members.pop("hits", b"null"))
    except msgspec.ValidationError:
        # It has no hits: an error, or the answer to something other than a search.
        return loads(text)
    answer = {name: loads(bytes(member)) for name, member in members.items()}
    answer["hits"] = {"total": hits.total, "hits": [_read_hit(hit) for hit in hits.hits]}
    return answer


def _read_hit(hit: _Hit) -> dict[str, Any]:
    source = bytes(hit.source)
    # The bytes that were read may not be UTF-8.
    return {"_source": source if source.isascii() else whole(source), "sort": loads(bytes(hit.sort)), "_id": hit.id}
