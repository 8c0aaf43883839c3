"""Documents as JSON."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.problems import Problem
from gateway.inventory.documents import (
    MAX_BYTES,
    MAX_CHANGED,
    MAX_MEMBERS,
    WHOLE,
    changed_pointers,
    merge_patch,
    read_json,
    text_of,
)

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
_DOCUMENTS = st.dictionaries(st.text(max_size=3), _JSON, max_size=4)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "\\u0062": 2}}',
        b'{"a": 1e400}',
        b'{"a": ' + b"1" * 400 + b"}",
        b'{"a": 9223372036854775808}',
        b'{"a\\u0000": 1}',
        b'{"a": [{"\\u0000": 1}]}',
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 100_000,
        b'{"a": [' + b"1," * MAX_MEMBERS + b"1]}",
        b"[" + b"{}," * 70_000 + b"{}]",
    ],
)
def test_json_that_no_document_may_have_is_malformed(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        read_json(body)
    assert refused.value.status == 400


def test_a_document_may_be_as_large_as_the_limits_say() -> None:
    deep = b'{"a":' * 32 + b"1" + b"}" * 32
    wide = orjson.dumps({"a": list(range(MAX_MEMBERS)), "b": -(2**63), "c": 2**63 - 1})
    for body in (deep, wide):
        assert orjson.dumps(read_json(body)) == body
    assert len(text_of({"a": "x" * (MAX_BYTES - 8)})) == MAX_BYTES
    with pytest.raises(Problem) as refused:
        text_of({"a": "x" * (MAX_BYTES - 7)})
    assert (refused.value.status, refused.value.code) == (413, "too_large")


# The examples of RFC 7396, appendix A.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_is_applied_as_its_rfc_says(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


@given(_DOCUMENTS)
def test_a_document_does_not_differ_from_itself(document: Any) -> None:
    assert not changed_pointers(document, orjson.loads(orjson.dumps(document)))


@given(_DOCUMENTS, _DOCUMENTS)
def test_documents_that_differ_have_a_pointer(old: Any, new: Any) -> None:
    same = orjson.dumps(old, option=orjson.OPT_SORT_KEYS) == orjson.dumps(new, option=orjson.OPT_SORT_KEYS)
    assert (not changed_pointers(old, new)) is same


@pytest.mark.parametrize(
    ("old", "new", "pointers"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, ["/b"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["/a/c"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["/a"]),
        ({"a/b": 1, "c~d": 1}, {}, ["/a~1b", "/c~0d"]),
        ({"a": 1}, {"a": True}, ["/a"]),
        ({"a": 1}, {"a": 1.0}, ["/a"]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": {}}, {"a": []}, ["/a"]),
    ],
)
def test_differences_are_named_by_json_pointers(old: Any, new: Any, pointers: list[str]) -> None:
    assert changed_pointers(old, new) == pointers


def test_a_change_of_many_members_or_long_names_is_one_of_the_whole() -> None:
    assert changed_pointers({}, {f"m{number}": 1 for number in range(MAX_CHANGED + 1)}) == [WHOLE]
    assert changed_pointers({}, {"m" * 5_000: 1}) == [WHOLE]
    assert len(changed_pointers({}, {f"m{number}": 1 for number in range(MAX_CHANGED)})) == MAX_CHANGED
