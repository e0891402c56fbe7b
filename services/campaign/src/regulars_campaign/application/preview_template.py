from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from regulars_campaign.application.ports import Renderer, Transactions
from regulars_campaign.application.read_templates import read_template
from regulars_campaign.domain.templates import VARIABLES, Template, Text


async def preview_template(
    template_id: UUID, values: Mapping[str, str | int | None], begin: Transactions, renderer: Renderer
) -> tuple[Template, Text]:
    """The newest version filled in with `values`, and with examples for what they leave open.

    Raises `UnknownTemplate`, `InvalidTemplate`.
    """
    template = await read_template(template_id, begin)
    return template, renderer.render(Text(template.subject, template.body), {**VARIABLES, **values})
