from __future__ import annotations

from datetime import datetime

from regulars_campaign.application.ports import Call, Made, Now, Renderer, Transactions, Unit
from regulars_campaign.domain.templates import Text
from regulars_kit.values import new_id


async def create_template(code: str, text: Text, call: Call, begin: Transactions, renderer: Renderer, now: Now) -> Made:
    """Make a template, or the next version of the one with this code; what was launched keeps its version.

    Raises `InvalidTemplate`, `UnknownVariable`.
    """
    renderer.check(text)
    async with begin() as unit:
        return await unit.once(call, lambda: _add(unit, code, text, now().at))


async def _add(unit: Unit, code: str, text: Text, at: datetime) -> Made:
    template = await unit.templates.add_version(new_id(), code, text, at)
    return Made(template.id, template.version)
