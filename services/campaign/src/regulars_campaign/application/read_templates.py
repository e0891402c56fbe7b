from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from regulars_campaign.application.ports import Transactions
from regulars_campaign.domain.refusals import UnknownTemplate
from regulars_campaign.domain.templates import Template


async def read_template(template_id: UUID, begin: Transactions, version: int | None = None) -> Template:
    """A version, the newest when that is None. Raises `UnknownTemplate`."""
    async with begin() as unit:
        if version is None:
            template = await unit.templates.newest(template_id)
        else:
            template = (await unit.templates.versions([(template_id, version)])).get((template_id, version))
    if template is None:
        raise UnknownTemplate("no template has this id")
    return template


async def list_templates(begin: Transactions, *, after: UUID | None, limit: int) -> Sequence[Template]:
    """The newest version of each of the next templates, in the order in which they were made."""
    async with begin() as unit:
        return await unit.templates.page(after=after, limit=limit)
