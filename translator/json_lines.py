"""JSON lines in, JSON lines out: `{"query", "mapping"}` to `{"query", "notices"}` or `{"error"}`."""

from functools import lru_cache
from typing import Any

import orjson

from translator.catalogue import Catalogue, MappingError
from translator.dsl import translate
from translator.errors import QueryError
from translator.notices import written

_MEMBERS = {"query", "mapping", "case_insensitive"}
_ERROR_MEMBERS = ("code", "message", "position", "end", "suggestions")


def read_mapping(mapping: Any) -> Catalogue:
    """The catalogue of a mapping.

    Args:
        mapping: `{"properties": …}`, an index's definition with that below `mappings`, or the answer to
            `GET /{index}/_mapping`.

    Raises:
        MappingError: it is neither of these.
    """
    if not isinstance(mapping, dict):
        raise MappingError("the mapping: expected an object")
    if "properties" in mapping or "runtime" in mapping or not mapping:
        return Catalogue.from_mappings({"mapping": mapping})
    if "mappings" in mapping:
        return Catalogue.from_mappings({"mapping": mapping["mappings"]})
    if all(isinstance(index, dict) and "mappings" in index for index in mapping.values()):
        return Catalogue.from_mappings({name: index["mappings"] for name, index in mapping.items()})
    raise MappingError('the mapping: expected {"properties": …}')


def translate_line(line: bytes) -> bytes:
    """Translate one line; whatever is wrong with it becomes its answer.

    Returns:
        One line without its line break.
    """
    try:
        query, catalogue, case_insensitive = _request(line)
        translation = translate(query, catalogue, case_insensitive=case_insensitive)
    except QueryError as error:
        rejection = error.as_dict()
        return orjson.dumps({"error": {name: rejection[name] for name in _ERROR_MEMBERS}})
    except (ValueError, orjson.JSONEncodeError) as error:
        return orjson.dumps({"error": dict(zip(_ERROR_MEMBERS, ("malformed", str(error), 0, 0, []), strict=True))})
    return orjson.dumps({"query": translation.query, "notices": written(translation.notices)})


def _request(line: bytes) -> tuple[str, Catalogue, bool]:
    """The query, the catalogue and `case_insensitive` of a line; a ValueError says what is wrong with it."""
    request = orjson.loads(line)
    if not isinstance(request, dict) or not isinstance(request.get("query"), str) or "mapping" not in request:
        raise ValueError('expected an object with "query", a string, and "mapping"')
    if unknown := request.keys() - _MEMBERS:
        raise ValueError(f"unknown members: {', '.join(sorted(unknown))}")
    case_insensitive = request.get("case_insensitive", False)
    if case_insensitive is not True and case_insensitive is not False:
        raise ValueError('"case_insensitive" is true or false')
    return request["query"], _catalogue(orjson.dumps(request["mapping"])), case_insensitive


@lru_cache(maxsize=16)
def _catalogue(mapping: bytes) -> Catalogue:
    # Lines mostly share a mapping.
    return read_mapping(orjson.loads(mapping))
