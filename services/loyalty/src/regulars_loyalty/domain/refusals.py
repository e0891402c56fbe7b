"""Every "no" of this service, each with its stable public code."""

from __future__ import annotations

from regulars_kit.values import Refused


class InvalidProgramme(Refused):
    """The programme's document breaks a rule; `field` points at the place."""

    code = "invalid_programme"


class NotSupported(Refused):
    """The document asks for something this version does not do; nothing was stored."""

    code = "not_supported"


class UnknownProgramme(Refused):
    code = "unknown_programme"


class UnknownStore(Refused):
    """No programme in force serves this store."""

    code = "unknown_store"


class StoreNotAllowed(Refused):
    """The principal is limited to its own stores."""

    code = "store_not_allowed"


class UnknownCustomer(Refused):
    """Nobody by this id, card, phone or e-mail has an account to spend from."""

    code = "unknown_customer"


class UnknownPurchase(Refused):
    code = "unknown_purchase"


class UnknownLine(Refused):
    code = "unknown_line"


class UnknownRedemption(Refused):
    code = "unknown_redemption"


class UnknownEntry(Refused):
    code = "unknown_entry"


class CurrencyNotInProgramme(Refused):
    """Refused rather than guessing an exchange rate."""

    code = "currency_not_in_programme"


class NegativeLine(Refused):
    """Lines are never negative: a receipt with returns in it is sent as a purchase and a return."""

    code = "negative_line"


class TendersDoNotAddUp(Refused):
    code = "tenders_do_not_add_up"


class InTheFuture(Refused):
    """An instant more than five minutes ahead of the server's clock, or a day that has not come."""

    code = "in_the_future"


class InsufficientPoints(Refused):
    code = "insufficient_points"


class NothingLeftToReturn(Refused):
    code = "nothing_left_to_return"


class NothingLeftToReverse(Refused):
    code = "nothing_left_to_reverse"


class IdempotencyKeyConflict(Refused):
    """The key, or the id, was used before with other content."""

    code = "idempotency_key_conflict"


class ReceiptNumberTaken(Refused):
    """The receipt's number already stands for another sale: two different sales never become one."""

    code = "receipt_number_taken"


class AlreadyClaimed(Refused):
    """The purchase belongs to somebody already."""

    code = "already_claimed"


class ExpiresTooEarly(Refused):
    """A lot cannot end before it begins."""

    code = "expires_too_early"
