"""Which status each of scoring's refusals is answered with."""

from __future__ import annotations

from regulars_kit.values import Refused
from regulars_scoring.domain import refusals

STATUS_OF: dict[type[Refused], int] = {
    refusals.UnknownCustomer: 404,
    refusals.NotScoredYet: 404,
    refusals.NoModelYet: 404,
    refusals.NoBasketsYet: 404,
    refusals.UnknownProduct: 404,
    refusals.UnknownRun: 404,
    refusals.InTheFuture: 422,
    refusals.RunUnderWay: 409,
    refusals.InvalidRfm: 422,
    refusals.TooFewPurchases: 422,
    refusals.FitFailed: 422,
}
