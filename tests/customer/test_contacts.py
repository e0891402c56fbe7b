"""Where senders ask whom they may reach: at the moment of sending, and no by default."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization

from customer.shop import CALLER, CAMPAIGN, CAMPAIGNS_PUBLIC, DOOR, Shop, an_email, ann, code_of, settings_for
from regulars_gateway.adapters.http.merged import merged
from regulars_kit.auth import Signer, new_key_pair

RESOLVE = "/internal/contacts:resolve"


async def resolve(shop: Shop, *ids: str, purpose: str = "marketing", channel: str = "email") -> list[dict[str, Any]]:
    asked = {"customer_ids": ids, "purpose": purpose, "channel": channel}
    response = await shop.send("POST", RESOLVE, asked)
    assert response.status_code == 200, response.text
    return list(response.json()["items"])


async def test_who_allows_it_is_told_with_address_name_and_language(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    assert await resolve(shop, customer_id) == [
        {
            "customer_id": customer_id,
            "allowed": True,
            "reason": None,
            "address": "ann@example.com",
            "display_name": "Ann Archer",
            "language": "en",
        }
    ]


async def test_who_does_not_is_told_with_the_reason_and_nothing_else(shop: Shop) -> None:
    silent, nobody = await shop.register(**ann(consents=[])), str(uuid4())
    homeless = await shop.register(consents=ann()["consents"], name="Ben")
    told = await resolve(shop, silent, nobody, homeless)
    assert [contact["reason"] for contact in told] == ["no_consent", "unknown_customer", "no_address"]
    for contact in told:
        named = (contact["allowed"], contact["address"], contact["display_name"], contact["language"])
        assert named == (False, None, None, None)


async def test_a_yes_is_for_its_purpose_and_channel_alone(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    for purpose, channel in (("marketing", "sms"), ("research", "email"), ("profiling", "email")):
        (contact,) = await resolve(shop, customer_id, purpose=purpose, channel=channel)
        assert contact["reason"] == "no_consent"


async def test_a_no_holds_from_the_next_question_on(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    await shop.send("PUT", f"/v1/customers/{customer_id}/consents/marketing/email", {"granted": False})
    (contact,) = await resolve(shop, customer_id)
    assert contact["reason"] == "no_consent"


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("email", "ann@example.com"),
        ("sms", "+441904551550"),
        ("phone", "+441904551550"),
        ("post", None),
        ("push", None),
    ],
)
async def test_messages_of_service_need_no_consent_but_an_address(
    shop: Shop, channel: str, address: str | None
) -> None:
    customer_id = await shop.register(**ann(consents=[]))
    (contact,) = await resolve(shop, customer_id, purpose="service", channel=channel)
    assert (contact["allowed"], contact["address"]) == (address is not None, address)
    assert contact["reason"] == (None if address else "no_address")


async def test_of_several_addresses_a_verified_one_is_taken_then_the_newest(shop: Shop) -> None:
    customer_id = await shop.register()
    path = f"/v1/customers/{customer_id}/identifiers"

    async def taken() -> object:
        return (await resolve(shop, customer_id, purpose="service"))[0]["address"]

    await shop.send("POST", path, an_email("old@example.com"))
    await shop.send("POST", path, an_email("new@example.com"))
    assert await taken() == "new@example.com"
    await shop.send("POST", path, {**an_email("proven@example.com"), "verified": True})
    await shop.send("POST", path, an_email("newest@example.com"))
    assert await taken() == "proven@example.com"


async def test_a_name_is_put_together_where_only_its_parts_are_known(shop: Shop) -> None:
    both = await shop.register(given_name="Ann", family_name="Archer", identifiers=[an_email("a@example.com")])
    neither = await shop.register(identifiers=[an_email("b@example.com")])
    told = await resolve(shop, both, neither, both, purpose="service")
    assert [contact["display_name"] for contact in told] == ["Ann Archer", None, "Ann Archer"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"customer_ids": []},
        {"customer_ids": [str(uuid4())] * 501},
        {"customer_ids": ["7"]},
        {"purpose": "gossip"},
        {"channel": "pigeon"},
        {"reason": "none"},
    ],
)
async def test_what_cannot_be_asked_is_refused(shop: Shop, wrong: dict[str, Any]) -> None:
    asked = {"customer_ids": [str(uuid4())], "purpose": "marketing", "channel": "email"}
    assert (await shop.send("POST", RESOLVE, {**asked, **wrong})).status_code == 422


async def test_five_hundred_are_answered_at_once(shop: Shop) -> None:
    assert len(await resolve(shop, *(str(uuid4()) for _ in range(500)))) == 500


@pytest.mark.parametrize("signer", [DOOR, Signer(new_key_pair()[0], CALLER)], ids=["the door", "a stranger"])
async def test_only_a_service_that_is_known_may_ask_whatever_the_scope(shop: Shop, signer: Signer) -> None:
    asked = {"customer_ids": [str(uuid4())], "purpose": "marketing", "channel": "email"}
    assert code_of(await shop.send("POST", RESOLVE, asked, signer=signer)) == (401, "principal_invalid")


async def test_a_service_that_may_ask_for_contacts_may_not_come_in_by_the_door(shop: Shop) -> None:
    assert code_of(await shop.send("GET", "/v1/customers", signer=CAMPAIGN)) == (401, "principal_invalid")


async def test_the_public_document_knows_nothing_of_it(shop: Shop) -> None:
    document = merged({"customer": shop.service.app.openapi()}, "1.0")
    assert not [path for path in document["paths"] if "internal" in path or "contacts" in path]
    assert not [name for name in document["components"]["schemas"] if "Contact" in name]


def test_a_callers_key_may_be_given_without_its_frame() -> None:
    key = serialization.load_pem_public_key(CAMPAIGNS_PUBLIC.encode())
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings = settings_for("postgresql+asyncpg://x", callers={CALLER: base64.b64encode(der).decode()})
    assert settings.callers[CALLER].split() == CAMPAIGNS_PUBLIC.split()
