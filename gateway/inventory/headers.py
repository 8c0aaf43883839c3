"""Headers of the inventory's requests and answers, as OpenAPI has them."""

from drf_spectacular.utils import OpenApiParameter

from gateway.inventory.consistency import TOKEN


def _asked(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)


def _answered(name: str, description: str, statuses: list[int]) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, response=statuses)


IF_MATCH = _asked("If-Match", "The ETag of the version that is to be changed; required for what is there.")
IF_MATCH_TYPE = _asked("If-Match", "The ETag of the declaration that is to be changed.")
IF_NONE_MATCH = _asked("If-None-Match", "* to create, and never to replace.")
KNOWN_VERSION = _asked("If-None-Match", "The ETag of the version that you have.")
KEY = _asked("Idempotency-Key", "The same answer to the same request for 24 hours.")
PREFER = _asked("Prefer", "return=minimal for an answer without the document.")

_ETAG = "The version, in double quotes: what If-Match and If-None-Match take."
READ = (_answered("ETag", _ETAG, [200, 304]),)
TOKENED = (_answered(TOKEN, "Stands for the change: a search that sends it finds what was written.", [200, 201, 204]),)
WRITTEN = (*TOKENED, _answered("ETag", _ETAG, [200, 201, 204, 412]))
CREATED = (_answered("Location", "The path of the new document.", [201]),)
DECLARED = (_answered("ETag", _ETAG, [200, 412]),)
