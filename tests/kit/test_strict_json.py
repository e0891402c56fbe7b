"""JSON that two readers could take differently is refused, with a code and the place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars_kit.limits import LIMITS
from regulars_kit.strict_json import BodyRefused, parse_strict


def refusal(body: bytes) -> BodyRefused:
    with pytest.raises(BodyRefused) as caught:
        parse_strict(body)
    return caught.value


def test_a_plain_document_is_read_as_json_reads_it() -> None:
    body = '{"name": "Zoë 🙂", "emoji": "\\ud83d\\ude42", "lines": [1, -2.5, true, null]}'.encode()
    assert parse_strict(body) == json.loads(body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b"", "malformed_json"),
        (b'{"a": 1,}', "malformed_json"),
        (b'{"a": 1} {"a": 2}', "malformed_json"),
        (b'{"a": "\x00"}', "malformed_json"),
        (b'{"a": "\xff"}', "invalid_utf8"),
        ('{"a": 1}'.encode("utf-16"), "invalid_utf8"),
        (b'{"a": NaN}', "invalid_number"),
        (b'{"a": -Infinity}', "invalid_number"),
        (b'{"a": 1e999}', "invalid_number"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "invalid_number"),
        (b'{"a": "\\u0000"}', "invalid_character"),
        (b'{"\\u0000": 1}', "invalid_character"),
        (b'{"a": "\\ud83d"}', "invalid_character"),
        (b"[" * 100_000, "too_deep"),
    ],
)
def test_what_is_not_strict_json_is_refused_with_a_code(body: bytes, code: str) -> None:
    assert refusal(body).code == code


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(value=anything, is_compact=st.booleans(), is_ascii=st.booleans())
def test_every_way_of_writing_a_document_is_read_alike(value: object, is_compact: bool, is_ascii: bool) -> None:
    separators = (",", ":") if is_compact else (" , ", ": ")
    body = json.dumps(value, separators=separators, ensure_ascii=is_ascii)
    if "\\u0000" in body.replace("\\\\", ""):
        assert refusal(body.encode()).code == "invalid_character"
    else:
        assert repr(parse_strict(body.encode())) == repr(value)


@pytest.mark.parametrize("body", [b'{"a":1,"a":1}', b'[{"b":{"a":[],"c":1,"a":[]}}]', b'{"a":1,"a":null,"":2}'])
def test_a_key_given_twice_is_refused_however_compact_the_document(body: bytes) -> None:
    assert refusal(body).code == "duplicate_key"


def test_a_key_given_twice_is_refused_at_its_place() -> None:
    error = refusal(b'{"lines": [{"sku": "A"}, {"sku": "A", "price/minor": 1, "price/minor": 2}]}')
    assert (error.code, error.field) == ("duplicate_key", "/lines/1/price~1minor")


def test_the_place_of_a_bad_character_is_named() -> None:
    assert refusal(b'{"till": "ok", "lines": [{"sku": "a\\u0000b"}]}').field == "/lines/0/sku"


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert parse_strict(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}


def test_the_deepest_document_allowed_is_read_and_one_level_more_is_not() -> None:
    depth = LIMITS.json_depth
    assert parse_strict(b"[" * depth + b"]" * depth)
    assert refusal(b"[" * (depth + 1) + b"]" * (depth + 1)).code == "too_deep"


def test_a_wide_document_is_not_a_deep_one() -> None:
    assert parse_strict(b"[" + b",".join([b'{"a": [1]}'] * 2_000) + b"]")


def test_brackets_in_a_text_nest_nothing() -> None:
    assert parse_strict(b'{"a": "' + b"[" * 100 + b'"}')


def test_a_refusal_repeats_nothing_of_the_body_but_a_short_key() -> None:
    error = refusal(b'{"' + b"k" * 5_000 + b'": 1, "' + b"k" * 5_000 + b'": 2}')
    assert error.field == "/" + "k" * 64
