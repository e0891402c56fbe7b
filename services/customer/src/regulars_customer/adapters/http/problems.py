"""Which status each of customer's refusals is answered with."""

from __future__ import annotations

from regulars_customer.domain import refusals
from regulars_kit.values import Refused

STATUS_OF: dict[type[Refused], int] = {
    refusals.UnknownCustomer: 404,
    refusals.UnknownIdentifier: 404,
    refusals.IdentifierTaken: 409,
    refusals.ChangedMeanwhile: 412,
    refusals.BadIdentifier: 422,
    refusals.TooManyEntries: 422,
    refusals.ExternalIdRequired: 422,
    refusals.BadProfile: 422,
    refusals.UnknownTimeZone: 422,
    refusals.BornInTheFuture: 422,
    refusals.Contradiction: 422,
}
