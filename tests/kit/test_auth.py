"""A service believes only what the door has signed for it, within the last minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import Depends
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from regulars_kit.auth import (
    HEADER,
    REMEMBERED,
    Principal,
    PrincipalInvalid,
    Signer,
    Verifier,
    new_key_pair,
    requires,
)
from regulars_kit.http import Router, new_app

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TILL = Principal("till-7", None, frozenset({"purchases:write"}), frozenset({"berlin-1"}))
PRIVATE, PUBLIC_KEY = new_key_pair()


@dataclass
class Watch:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


def a_verifier(watch: Watch, audience: str = "loyalty") -> Verifier:
    return Verifier({"gateway": PUBLIC_KEY}, audience, watch)


def a_token(watch: Watch, principal: Principal = TILL) -> str:
    return Signer(PRIVATE, "gateway", watch).sign(principal, "loyalty")


def test_the_principal_arrives_as_it_was_signed() -> None:
    watch = Watch()
    person = Principal("shop-app", "user-1", frozenset({"self:read", "self:write"}), None)
    for principal in (TILL, person):
        assert a_verifier(watch).verify(a_token(watch, principal)) == principal


def test_a_till_acts_for_its_own_stores_only() -> None:
    assert TILL.may_act_for("berlin-1") and not TILL.may_act_for("berlin-2")
    assert Principal("server").may_act_for("berlin-2")


def test_a_principal_lives_for_sixty_seconds_also_when_it_was_seen_before() -> None:
    watch = Watch()
    verifier, token = a_verifier(watch), a_token(watch)
    verifier.verify(token)
    watch.now = NOON + timedelta(seconds=59)
    assert verifier.verify(token) == TILL
    watch.now = NOON + timedelta(seconds=60)
    with pytest.raises(PrincipalInvalid):
        verifier.verify(token)


def test_a_principal_for_another_service_is_refused() -> None:
    watch = Watch()
    with pytest.raises(PrincipalInvalid):
        a_verifier(watch, "customer").verify(a_token(watch))


def test_a_strangers_signature_is_refused() -> None:
    watch = Watch()
    stranger, _ = new_key_pair()
    token = Signer(stranger, "gateway", watch).sign(TILL, "loyalty")
    with pytest.raises(PrincipalInvalid):
        a_verifier(watch).verify(token)


def test_an_issuer_cannot_sign_in_the_name_of_another() -> None:
    watch = Watch()
    private, public = new_key_pair()
    verifier = Verifier({"gateway": PUBLIC_KEY, "campaign": public}, "loyalty", watch)
    assert verifier.verify(Signer(private, "campaign", watch).sign(TILL, "loyalty")) == TILL
    with pytest.raises(PrincipalInvalid):
        verifier.verify(Signer(private, "gateway", watch).sign(TILL, "loyalty"))


def test_both_keys_hold_while_an_issuer_changes_its_key() -> None:
    watch = Watch()
    private, public = new_key_pair()
    verifier = Verifier({"gateway": PUBLIC_KEY + public}, "loyalty", watch)
    assert verifier.verify(a_token(watch)) == TILL
    assert verifier.verify(Signer(private, "gateway", watch).sign(TILL, "loyalty")) == TILL


def claims(**changes: object) -> dict[str, object]:
    begun = int(NOON.timestamp())
    return {
        "iss": "gateway",
        "aud": "loyalty",
        "iat": begun,
        "exp": begun + 60,
        "client": "till-7",
        "sub": None,
        "scopes": ["purchases:write"],
        "stores": None,
    } | changes


def signed(claims: dict[str, object]) -> str:
    key = OKPKey.import_key(PRIVATE)
    return jwt.encode({"alg": "Ed25519", "kid": "gateway"}, claims, key, algorithms=["Ed25519"])


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(NOON.timestamp()) + 3_600},
        {"iat": int(NOON.timestamp()) + 60, "exp": int(NOON.timestamp()) + 120},
        {"exp": "soon"},
        {"exp": None},
        {"exp": 10**30},
        {"scopes": None},
        {"iss": "campaign"},
        {"aud": ["loyalty", "customer"]},
    ],
)
def test_claims_that_do_not_hold_are_refused_even_when_signed(changes: dict[str, object]) -> None:
    assert a_verifier(Watch()).verify(signed(claims())).client == "till-7"
    with pytest.raises(PrincipalInvalid):
        a_verifier(Watch()).verify(signed(claims(**changes)))


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "é.é.é", "." * 3, "eyJhbGciOiJub25lIn0.e30.", "x" * 10_000])
def test_nonsense_is_refused_and_nothing_breaks(token: str) -> None:
    with pytest.raises(PrincipalInvalid):
        a_verifier(Watch()).verify(token)


def test_the_public_key_is_no_secret_to_sign_with() -> None:
    # The classic confusion: HMAC with the public key as its secret.
    secret = OctKey.import_key(PUBLIC_KEY.encode().replace(b"-----", b""))
    token = jwt.encode({"alg": "HS256", "kid": "gateway"}, claims(), secret, algorithms=["HS256"])
    with pytest.raises(PrincipalInvalid):
        a_verifier(Watch()).verify(token)


def test_the_memory_of_verified_principals_is_bounded() -> None:
    watch = Watch()
    verifier, token = a_verifier(watch), a_token(watch)
    verifier._verified = {str(number): (TILL, NOON + timedelta(seconds=9)) for number in range(REMEMBERED)}
    verifier.verify(token)
    assert list(verifier._verified) == [token]


async def asked(token: str, callers: Verifier | None) -> int:
    """The status of a request to a route that only services may use."""
    app = new_app("loyalty", "1", {}, None, a_verifier(Watch()), callers)
    router = Router()

    @router.get("/internal/subjects")
    async def get_subjects(principal: Annotated[Principal, Depends(requires("internal:subjects"))]) -> str:
        return principal.client

    app.include_router(router)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://loyalty") as client:
        return (await client.get("/internal/subjects", headers={HEADER: token})).status_code


async def test_an_internal_scope_opens_only_to_a_service_that_signs_for_itself() -> None:
    watch, caller = Watch(), Principal("customer", scopes=frozenset({"internal:subjects"}))
    private, public = new_key_pair()
    callers = Verifier({"customer": public}, "loyalty", watch)
    by_service = Signer(private, "customer", watch).sign(caller, "loyalty")
    assert await asked(by_service, callers) == 200
    assert await asked(a_token(watch, caller), callers) == 401, "signed by the door"
    assert await asked(by_service, None) == 401, "nobody is known to call"
    scopeless = Signer(private, "customer", watch).sign(Principal("customer"), "loyalty")
    assert await asked(scopeless, callers) == 403
