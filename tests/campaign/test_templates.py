"""Templates: Liquid that names what there is, does what it may, and reaches nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from campaign.shop import Shop, a_template, code_of, place_of
from regulars_campaign.adapters.liquid.renderer import LiquidRenderer
from regulars_campaign.domain.refusals import InvalidTemplate
from regulars_campaign.domain.templates import VARIABLES, Text


async def test_a_template_is_read_as_it_was_made(shop: Shop) -> None:
    made = await shop.make("/v1/templates", a_template())
    assert (made["version"], made["subject"]) == (1, "We miss you")
    assert await shop.get(f"/v1/templates/{made['id']}") == made


async def test_the_same_code_again_is_the_next_version(shop: Shop) -> None:
    first = await shop.make("/v1/templates", a_template())
    second = await shop.make("/v1/templates", a_template(subject="Come back"))
    assert (second["id"], second["version"]) == (first["id"], 2)
    (newest,) = (await shop.get("/v1/templates"))["items"]
    assert newest == second


async def test_what_was_launched_keeps_its_version(shop: Shop) -> None:
    campaign = await shop.campaign()
    await shop.make("/v1/templates", a_template(subject="Come back"))
    assert (await shop.get(f"/v1/campaigns/{campaign}"))["template_version"] == 1


async def test_a_template_is_made_once_whatever_is_repeated(shop: Shop) -> None:
    first = await shop.post("/v1/templates", a_template(), key="k")
    await shop.make("/v1/templates", a_template(subject="Come back"))
    again = await shop.post("/v1/templates", a_template(), key="k")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


async def test_a_preview_is_filled_in_with_a_customer_made_up_for_it(shop: Shop) -> None:
    made = await shop.make(
        "/v1/templates", a_template(subject="{{ customer.name }}, {{ customer.tier }} {{ campaign.code }}")
    )
    path = f"/v1/templates/{made['id']}/preview"
    plain = (await shop.send("POST", path, {})).json()
    assert plain["subject"] == "Anna, gold win-back"
    said = (await shop.send("POST", path, {"customer": {"name": None, "balance": 7}})).json()
    assert (said["subject"], said["body"]) == (", gold win-back", "Hello there, you have 7 points.")
    unknown = await shop.send("POST", path, {"customer": {"shoe_size": 39}})
    assert (code_of(unknown), place_of(unknown)) == ((422, "unknown_field"), "/customer/shoe_size")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{% if customer.name %}", "invalid_template"),
        ("{{ customer.name | ", "invalid_template"),
        ("{% nothing %}", "invalid_template"),
        ("{{ customer.name | explode }}", "invalid_template"),
        ("{{ customer.name | replace: 'a', 'b' }}", "invalid_template"),
        ("{{ customer.name | base64_encode }}", "invalid_template"),
        ("{% include 'secrets' %}", "invalid_template"),
        ("{% render '/etc/passwd' %}", "invalid_template"),
        ("{{ 1 | divided_by: 0 }}", "invalid_template"),
        ("{% for i in (1..100000) %}x{% endfor %}", "invalid_template"),
        ("{% assign x = 'aaaa' %}{% for i in (1..60) %}{% assign x = x | append: x %}{% endfor %}", "invalid_template"),
        (
            "{% assign x = 9999 %}{% for i in (1..60) %}{% assign x = x | times: x %}{% endfor %}{{ x }}",
            "invalid_template",
        ),
        ("{% for i in (1..999) %}" + "x" * 100 + "{% endfor %}", "invalid_template"),
        ("{% if a %}" * 60 + "x" + "{% endif %}" * 60, "invalid_template"),
        ("{{ customer.shoe_size }}", "unknown_variable"),
        ("{{ customer }}", "unknown_variable"),
        ("{{ customer['__class__'] }}", "unknown_variable"),
        ("{{ customer.name.size }}", "unknown_variable"),
        ("{% if weather == 'fine' %}x{% endif %}", "unknown_variable"),
        ("{{ customer[campaign.code] }}", "unknown_variable"),
    ],
)
async def test_what_a_template_may_not_is_refused_and_never_repeated(shop: Shop, body: str, code: str) -> None:
    for field in ("body", "subject"):
        refused = await shop.post("/v1/templates", a_template(**{field: body[:255] if field == "subject" else body}))
        if field == "subject" and len(body) > 255:
            continue
        assert code_of(refused) == (422, code), refused.text
        assert place_of(refused) == f"/{field}"
        assert body not in refused.text


@pytest.mark.parametrize(
    ("said", "code", "place"),
    [
        ({"subject": ""}, "too_short", "/subject"),
        ({"subject": "x" * 256}, "too_long", "/subject"),
        ({"subject": "two\nlines"}, "invalid_character", "/subject"),
        ({"body": "x" * 20_001}, "too_long", "/body"),
        ({"body": 7}, "wrong_type", "/body"),
        ({"code": "Not A Code"}, "invalid_field", "/code"),
        ({"html": "<b>"}, "unknown_field", "/html"),
    ],
)
async def test_fields_of_a_template_keep_their_limits(shop: Shop, said: dict[str, Any], code: str, place: str) -> None:
    refused = await shop.post("/v1/templates", a_template(**said))
    assert (code_of(refused), place_of(refused)) == ((422, code), place)


def test_a_template_may_branch_count_and_set(shop: Shop) -> None:
    source = (
        "{% assign points = customer.balance | default: 0 %}{% if points >= 1000 %}{{ customer.name | upcase }}: "
        "{% case customer.tier %}{% when 'gold' %}gold{% else %}none{% endcase %}{% endif %}"
        "{% for i in (1..3) %}{{ i }}{% unless forloop.last %},{% endunless %}{% endfor %}"
    )
    renderer = LiquidRenderer()
    renderer.check(Text("x", source))
    assert renderer.render(Text("x", source), VARIABLES).body == "ANNA: gold1,2,3"


def test_a_name_cannot_make_a_second_header() -> None:
    text = LiquidRenderer().render(
        Text("Hi {{ customer.name }}", "x"), {**VARIABLES, "customer.name": "A\r\nBcc: all@example.com"}
    )
    assert text.subject == "Hi A Bcc: all@example.com"


def test_what_a_customers_value_makes_of_a_template_is_bounded_too() -> None:
    source = "{% for i in (1..900) %}{{ customer.name }}{% endfor %}"
    with pytest.raises(InvalidTemplate):
        LiquidRenderer().render(Text("x", source), {**VARIABLES, "customer.name": "x" * 255})
