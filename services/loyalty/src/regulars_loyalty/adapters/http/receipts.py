"""What tills send: a purchase, read into the command that records it.

Each step here is paid for by every purchase: one strict parse, one validation, one pass over the lines, two hashes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated
from uuid import UUID

import orjson
from pydantic import Field, PlainValidator, Strict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from regulars_kit.auth import Principal
from regulars_kit.canonical import SAFE_INTEGER
from regulars_kit.limits import LIMITS
from regulars_kit.models import CurrencyCode, Day, Instant, Minor, StrictModel, Text
from regulars_kit.validation import FieldError, InvalidRequest
from regulars_kit.values import Clock, new_id, value
from regulars_loyalty.adapters.http.identities import CustomerIn, Identities
from regulars_loyalty.application.purchase_rows import RecordPurchase
from regulars_loyalty.domain.purchase import Line, Purchase, Receipt
from regulars_loyalty.domain.refusals import NegativeLine, NotSupported, StoreNotAllowed, TendersDoNotAddUp

_QUANTITY = re.compile(r"(-?)(\d{1,9})(?:\.(\d{1,3}))?", re.ASCII)


def read_quantity(value: object) -> int:
    """Thousandths, from an integer or a decimal text. Not above zero is read too: the shop has its own word for it."""
    if type(value) is int and abs(value) < 10**9:
        return value * 1000
    if isinstance(value, str) and (found := _QUANTITY.fullmatch(value)):
        sign, whole, decimals = found.groups()
        return int(sign + whole + (decimals or "").ljust(3, "0"))
    raise PydanticCustomError("invalid_quantity", "must be an integer, or a decimal text with at most three decimals")


Quantity = Annotated[
    int,
    PlainValidator(read_quantity),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 999_999_999},
                {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,3})?$"},
            ],
            "description": "Above zero: an integer, or a decimal text with at most three decimals.",
        }
    ),
]
Amount = Annotated[int, Strict(), Field(ge=0, le=LIMITS.amount)]
"""Minor units, 0 or more."""

PaidMinor = Annotated[Minor, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": LIMITS.amount})]
"""Minor units paid for a line. Below zero is read too, and refused in the shop's words."""

Key = Annotated[str, StringConstraints(min_length=1, max_length=LIMITS.text_chars, pattern=r"^[!-~]*$")]


class LineIn(StrictModel):
    """`net_minor` is what is paid for the line after discounts, taxes included; a gift is 0."""

    line_id: Text
    sku: Text
    category: Text | None = None
    quantity: Quantity
    net_minor: PaidMinor
    discount_minor: Amount | None = None
    cost_minor: Amount | None = None


class TenderIn(StrictModel):
    """How a part was paid. The type `points` redeems as many points as the amount is worth."""

    type: Text
    amount_minor: Amount
    hold_id: UUID | None = None


class SlipIn(StrictModel):
    """The natural key of a receipt, or of a return without one, and whose it is."""

    store: Text
    till: Text
    receipt_no: Text
    business_date: Day
    occurred_at: Instant | None = None
    customer: CustomerIn | None = None
    programme: Text | None = None
    currency: CurrencyCode

    def receipt(self) -> Receipt:
        return Receipt(self.store, self.till, self.business_date, self.receipt_no)


class PurchaseIn(SlipIn):
    """A purchase as a till sends it. `occurred_at` is now when it is missing; tenders add up to the lines."""

    lines: Annotated[tuple[LineIn, ...], Field(min_length=1, max_length=LIMITS.document_lines)]
    tenders: tuple[TenderIn, ...] | None = None
    coupons: tuple[Text, ...] = ()
    offers: tuple[Text, ...] = ()
    channel: Text | None = None
    captured_at: Instant | None = None
    sequence_no: Annotated[int, Strict(), Field(ge=0, le=SAFE_INTEGER)] | None = None


class BatchLineIn(PurchaseIn):
    """A purchase in a stream, which names itself: by its id, by a key, or by its receipt number alone."""

    purchase_id: UUID | None = None
    idempotency_key: Key | None = None


@value
class Sender:
    """Who sent a purchase and by which name: `purchase_id` None lets the server name it."""

    principal: Principal
    purchase_id: UUID | None
    idempotency_key: str | None


def to_command(body: PurchaseIn, value: object, sender: Sender, identities: Identities, now: Clock) -> RecordPurchase:
    """The command of a body; `value` is the same as it was sent. Raises what is wrong with it."""
    principal = sender.principal
    if not principal.may_act_for(body.store):
        raise StoreNotAllowed("this principal may not post for this store", field="/store")
    lines = _lines(body.lines)
    total_minor = sum([line.net_minor for line in lines])
    if total_minor > LIMITS.amount:
        raise _invalid("out_of_range", f"must add up to at most {LIMITS.amount}", "/lines")
    purchase = Purchase(
        sender.purchase_id or new_id(),
        body.receipt(),
        body.occurred_at or now(),
        body.currency,
        lines,
        body.channel,
        _paid_in_points(body.tenders, total_minor),
    )
    return RecordPurchase(
        purchase=purchase,
        shopper=identities.shopper(body.customer) if body.customer else None,
        programme=body.programme,
        client=principal.client,
        idempotency_key=sender.idempotency_key,
        content_hash=content_hash(value),
        sale_hash=_sale_hash(purchase),
        is_named=sender.purchase_id is not None,
        coupons=body.coupons,
        offers=body.offers,
        captured_at=body.captured_at,
        sequence_no=body.sequence_no,
    )


def _lines(lines: Sequence[LineIn]) -> tuple[Line, ...]:
    read = tuple(
        [
            Line(
                line.line_id,
                line.sku,
                line.category,
                line.quantity,
                line.net_minor,
                line.discount_minor,
                line.cost_minor,
            )
            for line in lines
        ]
    )
    check_lines([(line.quantity_milli, line.net_minor) for line in read])
    check_line_ids([line.line_id for line in read])
    return read


def check_lines(lines: Sequence[tuple[int, int]]) -> None:
    """Raise NegativeLine for the first (thousandths, minor units) that is no sale."""
    for place, (quantity_milli, net_minor) in enumerate(lines):
        if quantity_milli <= 0 or net_minor < 0:
            name = "quantity" if quantity_milli <= 0 else "net_minor"
            detail = "a line is never negative: send what came back as a return"
            raise NegativeLine(detail, field=f"/lines/{place}/{name}")


def check_line_ids(line_ids: Sequence[str]) -> None:
    """Raise InvalidRequest where two lines have one id."""
    if len(set(line_ids)) == len(line_ids):
        return
    place = next(place for place, line_id in enumerate(line_ids) if line_id in line_ids[:place])
    raise _invalid("invalid_field", "must differ from the other lines' ids", f"/lines/{place}/line_id")


def _paid_in_points(tenders: Sequence[TenderIn] | None, total_minor: int) -> int:
    if tenders is None:
        return 0
    for place, tender in enumerate(tenders):
        if tender.hold_id is not None:
            raise NotSupported("there are no holds yet; pay by points without one", field=f"/tenders/{place}/hold_id")
    if sum(tender.amount_minor for tender in tenders) != total_minor:
        raise TendersDoNotAddUp(f"tenders must add up to the lines, {total_minor}", field="/tenders")
    return sum(tender.amount_minor for tender in tenders if tender.type == "points")


# What a retry may tell otherwise, and what names the purchase rather than telling of it.
_NO_CONTENT = frozenset({"captured_at", "sequence_no", "purchase_id", "idempotency_key"})


def _canonical(value: object) -> bytes:
    """RFC 8785 as `regulars_kit.canonical` writes it, at a small part of the time.

    The keys are our fields, all ASCII, so that their order by bytes is the standard's; floats have been refused.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def content_hash(value: object) -> bytes:
    """SHA-256 of a validated purchase as it was sent, in canonical JSON, without `captured_at` and `sequence_no`."""
    assert isinstance(value, dict)
    if not _NO_CONTENT.isdisjoint(value):
        value = {key: value[key] for key in value if key not in _NO_CONTENT}
    return sha256(_canonical(value)).digest()


def _sale_hash(purchase: Purchase) -> bytes:
    """SHA-256 of currency and lines, however they were spelled: what two receipts of one sale have in common."""
    lines = [
        (
            line.line_id,
            line.sku,
            line.category,
            line.quantity_milli,
            line.net_minor,
            line.discount_minor,
            line.cost_minor,
        )
        for line in purchase.lines
    ]
    return sha256(_canonical([purchase.currency, lines])).digest()


def _invalid(code: str, detail: str, pointer: str) -> InvalidRequest:
    return InvalidRequest([FieldError(code, detail, pointer)])
