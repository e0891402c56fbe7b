"""How revisions reach the stores: in the same few statements for one customer and for two hundred."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from regulars_customer.application.ports import IdentifierKey, Unit
from regulars_customer.domain.customer import Revision
from regulars_customer.domain.identifiers import Claim
from regulars_customer.domain.refusals import IdentifierTaken


async def keep(unit: Unit, revisions: Sequence[Revision]) -> frozenset[IdentifierKey]:
    """Store the revisions and announce their facts. Answers with the identifiers that others hold.

    When there are any, the caller has to raise: the transaction must not be committed.
    """
    await unit.customers.add([told.customer for told in revisions if told.before is None])
    await unit.customers.update([told.customer for told in revisions if told.is_changed])
    taken = await unit.customers.link([(told.customer.id, link) for told in revisions for link in told.linked])
    await unit.customers.record([(told.customer.id, record) for told in revisions for record in told.consents])
    await unit.announce([fact for told in revisions for fact in told.facts])
    return taken


def refuse_taken(claims: Sequence[Claim], taken: Collection[IdentifierKey], pointer: str = "/identifiers/{}") -> None:
    """Raise `IdentifierTaken` when one of the claims is, pointing at the first."""
    for position, claim in enumerate(claims):
        if claim.identifier.key in taken:
            raise IdentifierTaken("another customer holds this identifier", field=pointer.format(position))
