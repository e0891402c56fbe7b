"""The same content has the same bytes and the same hash, whoever wrote it (RFC 8785)."""

from __future__ import annotations

import pytest

from regulars_kit.canonical import canonical_json, content_hash


def test_keys_are_sorted_by_utf16_code_units() -> None:
    # RFC 8785, 3.2.3: the emoji's first surrogate (d83d) sorts before U+FB33, which code points would not do.
    document = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7}
    assert list(canonical_json(document).decode()) == list('{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"😀":5,"\ufb33":3}')


def test_blanks_and_the_order_of_keys_change_nothing() -> None:
    assert content_hash({"b": [1, None, True], "a": "x"}) == content_hash({"a": "x", "b": (1, None, True)})
    assert content_hash({"a": 1}) != content_hash({"a": "1"})


def test_text_is_escaped_no_more_than_it_must_be() -> None:
    assert canonical_json('\u20ac$\u000f\nA\'B"\\\\"/') == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@pytest.mark.parametrize("value", [1.0, {"a": [0.5]}, 2**53, {1: "a"}, {"a": object()}])
def test_what_has_no_one_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical_json(value)
