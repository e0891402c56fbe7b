"""One person's spellings of an identifier give one hash, and nobody reads the identifier out of it."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import cast

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_contracts.identifiers import KINDS, BadIdentifier, Hasher, Identifier, Kind, normalise

OLD_KEY, NEW_KEY = b"o" * 32, b"n" * 32
HASHER = Hasher({"k1": OLD_KEY, "k2": NEW_KEY}, active="k2")

SEPARATORS = st.sampled_from([" ", "-", ".", "/", "_", "\u00a0", "\u2013", ""])
CARDS = st.text("0123456789ABCDEFXYZ", min_size=1, max_size=24)
LOCAL_PARTS = st.from_regex(r"[a-z0-9]([a-z0-9_+-]{0,12}[a-z0-9])?", fullmatch=True)
DOMAINS = st.sampled_from(["example.com", "shop.example.org", "bücher.example.net"])
NUMBERS = st.sampled_from(["DE", "GB", "FR", "IT", "US", "AR", "BR", "MX", "JP"]).map(
    lambda region: phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
)
FORMATS = st.sampled_from(
    [
        phonenumbers.PhoneNumberFormat.E164,
        phonenumbers.PhoneNumberFormat.INTERNATIONAL,
        phonenumbers.PhoneNumberFormat.RFC3966,
    ]
)
SPELLINGS: st.SearchStrategy[tuple[Kind, str]] = st.one_of(
    st.tuples(st.just("card"), st.text("0123456789ABCxyz -./ß", min_size=1, max_size=24)),
    st.tuples(st.just("phone"), st.from_regex(r"(\+|00)?[1-9][0-9 ()/-]{5,16}", fullmatch=True)),
    st.tuples(
        st.just("email"),
        st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=8).map("{}@example.com".format),
    ),
    st.tuples(st.just("external"), st.text(max_size=20).map("crm:{}".format)),
)


def one_hash(kind: Kind, *spellings: str) -> bool:
    return len({HASHER.hash(Identifier(kind, spelling)) for spelling in spellings}) == 1


@given(card=CARDS, separators=st.lists(SEPARATORS, min_size=24, max_size=24), lower=st.booleans())
def test_a_card_is_the_same_however_its_digits_are_grouped(card: str, separators: list[str], lower: bool) -> None:
    spelled = "".join(character + separator for character, separator in zip(card, separators, strict=False))
    assert one_hash("card", card, f" {spelled.lower() if lower else spelled}\n")


@given(number=NUMBERS, written_as=FORMATS)
def test_a_phone_number_is_the_same_in_every_way_of_writing_it(
    number: phonenumbers.PhoneNumber, written_as: int
) -> None:
    region = phonenumbers.region_code_for_number(number)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(number, written_as)
    at_home = Identifier("phone", national, region)
    assert HASHER.hash(at_home) == HASHER.hash(Identifier("phone", f" {international} "))
    assert at_home.value == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@given(local=LOCAL_PARTS, domain=DOMAINS)
def test_an_email_address_is_the_same_in_capitals(local: str, domain: str) -> None:
    assert one_hash("email", f"{local}@{domain}", f" {local.upper()}@{domain.upper()} ", f"{local}@{domain.title()}")


def test_an_international_domain_is_the_same_in_punycode() -> None:
    assert one_hash("email", "ann@bücher.example.net", "ann@xn--bcher-kva.example.net")


@pytest.mark.parametrize(
    ("kind", "one", "another"),
    [
        ("email", "ann@example.com", "ann+shop@example.com"),
        ("email", "ann.lee@example.com", "annlee@example.com"),
        ("external", "crm:a1", "crm:A1"),
        ("external", "crm:a1", "erp:a1"),
        ("card", "1234", "01234"),
        ("phone", "+4930123456", "+4930123457"),
    ],
)
def test_what_may_be_two_people_stays_two(kind: Kind, one: str, another: str) -> None:
    assert not one_hash(kind, one, another)


@settings(max_examples=300, deadline=None)
@given(spelled=SPELLINGS)
def test_normalising_twice_is_normalising_once(spelled: tuple[Kind, str]) -> None:
    kind, value = spelled
    try:
        once = normalise(kind, value, "DE")
    except BadIdentifier:
        return
    assert normalise(kind, once) == once


@given(value=st.text(max_size=300), kind=st.sampled_from(KINDS))
def test_any_text_at_all_is_an_identifier_or_a_refusal(value: str, kind: Kind) -> None:
    try:
        assert Identifier(kind, value).value
    except BadIdentifier as refusal:
        assert refusal.__cause__ is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("card", ""),
        ("card", " - "),
        ("card", "12#34"),
        ("card", "ß"),
        ("card", "1" * 65),
        ("phone", "030 123456"),
        ("phone", "+49 1"),
        ("phone", "+31 000 0000"),
        ("phone", "+49 30 123456 ext. 7"),
        ("phone", "hello"),
        ("email", "ann"),
        ("email", "ann@"),
        ("email", "Ann <ann@example.com>"),
        ("email", "ann@127.0.0.1"),
        ("email", "\ud800@example.com"),
        ("external", "crm:\ud800"),
        ("external", "42"),
        ("external", ":42"),
        ("external", "crm:"),
        ("external", "crm:4\x002"),
        ("external", "crm:" + "4" * 252),
    ],
)
def test_what_is_no_identifier_of_its_kind_is_refused_without_being_repeated(kind: Kind, value: str) -> None:
    with pytest.raises(BadIdentifier) as refusal:
        Identifier(kind, value)
    assert not value.strip() or value not in str(refusal.value)


def test_a_kind_that_nobody_knows_is_refused() -> None:
    with pytest.raises(BadIdentifier, match="one of card, phone, email, external"):
        normalise(cast(Kind, "passport"), "C01X00T47")


@given(card=CARDS)
def test_a_hash_names_its_key_and_never_shows_the_card(card: str) -> None:
    found = HASHER.hash(Identifier("card", card))
    assert re.fullmatch(r"k2:[0-9a-f]{64}", found)
    # Short cards are bound to occur among 64 hexadecimal digits by chance.
    assert len(card) < 12 or card.lower() not in found


def test_a_hash_is_hmac_sha_256_of_kind_and_value() -> None:
    expected = hmac.new(NEW_KEY, b"card\x001234ABCD", hashlib.sha256).hexdigest()
    assert HASHER.hash(Identifier("card", "1234-abcd")) == f"k2:{expected}"


@given(card=CARDS)
def test_after_a_new_key_old_hashes_are_still_found(card: str) -> None:
    before = Hasher({"k1": OLD_KEY}, active="k1").hash(Identifier("card", card))
    active, *others = HASHER.hashes(Identifier("card", card))
    assert active == HASHER.hash(Identifier("card", card))
    assert others == [before]
    assert active.partition(":")[2] != before.partition(":")[2]


def test_nothing_secret_shows_when_printed() -> None:
    assert "ann" not in repr(Identifier("email", "ann@example.com"))
    assert "ooo" not in repr(HASHER)


@pytest.mark.parametrize(
    ("keys", "active"),
    [({}, "k1"), ({"k1": OLD_KEY}, "k2"), ({"k1": b"short"}, "k1"), ({"K:1": OLD_KEY}, "K:1"), ({"": OLD_KEY}, "")],
)
def test_a_hasher_without_a_proper_key_is_refused(keys: dict[str, bytes], active: str) -> None:
    with pytest.raises(ValueError, match="key"):
        Hasher(keys, active)
