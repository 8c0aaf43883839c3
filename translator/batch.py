"""JSON lines in, JSON lines out: `{"query", "mapping"}` to `{"query"}` or `{"error"}`."""

from functools import lru_cache
from typing import Any

import orjson

from translator.catalogue import Catalogue, MappingError
from translator.dsl import translate
from translator.errors import QueryError

_MEMBERS = {"query", "mapping", "case_insensitive"}


def read_mapping(mapping: Any) -> Catalogue:
    """The catalogue of a mapping.

    Args:
        mapping: `{"properties": …}`, an index's definition with that below `mappings`, or the answer to
            `GET /{index}/_mapping`.

    Raises:
        MappingError: it is none of these.
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
        request = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _malformed(f"the line is not JSON: {error}")
    if not isinstance(request, dict) or not isinstance(request.get("query"), str) or "mapping" not in request:
        return _malformed('expected an object with "query", a string, and "mapping"')
    if unknown := request.keys() - _MEMBERS:
        return _malformed(f"unknown members: {', '.join(sorted(unknown))}")
    case_insensitive = request.get("case_insensitive", False)
    if not isinstance(case_insensitive, bool):
        return _malformed('"case_insensitive" is true or false')
    try:
        catalogue = _catalogue(orjson.dumps(request["mapping"]))
        translation = translate(request["query"], catalogue, case_insensitive=case_insensitive)
    except MappingError as error:
        return _malformed(str(error))
    except QueryError as error:
        rejection = error.as_dict()
        members = ("code", "message", "position", "end", "suggestions")
        return orjson.dumps({"error": {name: rejection[name] for name in members}})
    return orjson.dumps({"query": translation.query})


@lru_cache(maxsize=16)
def _catalogue(mapping: bytes) -> Catalogue:
    # Lines mostly share a mapping.
    return read_mapping(orjson.loads(mapping))


def _malformed(message: str) -> bytes:
    error = {"code": "malformed", "message": message, "position": 0, "end": 0, "suggestions": []}
    return orjson.dumps({"error": error})
