from __future__ import annotations

from collections.abc import Sequence

from regulars_scoring.application.ports import Reading, Reads
from regulars_scoring.domain.affinity import Counted, Product, Rule
from regulars_scoring.domain.refusals import NoBasketsYet, UnknownProduct


async def read_affinity(sku: str, limit: int, begin: Reads) -> tuple[Counted, Product, Sequence[Rule]]:
    """What goes with a product, the most telling first. Raises `NoBasketsYet` and `UnknownProduct`."""
    async with begin() as unit:
        counted = await counted_by(unit)
        product = await unit.affinity.product(sku)
        if product is None:
            raise UnknownProduct(
                f"no basket counted from {counted.since} to {counted.as_of} holds this product; skus are compared as "
                "the till wrote them"
            )
        return counted, product, await unit.affinity.rules(sku, limit)


async def counted_by(unit: Reading) -> Counted:
    """The last count. Raises `NoBasketsYet`."""
    counted = await unit.affinity.counted()
    if counted is None:
        raise NoBasketsYet("no run has counted baskets yet; POST /v1/scoring/runs starts one")
    return counted
