"""Templates: make, read, list, preview."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from regulars_campaign.adapters.http.answers import TemplateOut, TemplatePreviewOut, TemplatesOut
from regulars_campaign.adapters.http.calls import ContentHash, Key, call_of, tell
from regulars_campaign.adapters.http.context import Here
from regulars_campaign.adapters.http.paging import DEFAULT, Cursor, Limit, cut, last_shown
from regulars_campaign.adapters.http.requests import TemplateIn, TemplatePreviewIn
from regulars_campaign.application.create_template import create_template
from regulars_campaign.application.preview_template import preview_template
from regulars_campaign.application.read_templates import list_templates, read_template
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router

router = Router(tags=["templates"])

Reader = Annotated[Principal, Depends(requires("templates:read"))]
Writer = Annotated[Principal, Depends(requires("templates:write"))]


@router.post("/v1/templates", status_code=201)
async def post_template(
    principal: Writer, key: Key, body: TemplateIn, content: ContentHash, response: Response, here: Here
) -> TemplateOut:
    """Make a template, or the next version of the one with this code."""
    made = await create_template(
        body.code, body.to_text(), call_of(principal, key, content), here.begin, here.renderer, here.now
    )
    tell(made, "/v1/templates", response)
    return TemplateOut.of(await read_template(made.id, here.read, version=made.version))


@router.get("/v1/templates")
async def get_templates(principal: Reader, here: Here, limit: Limit = DEFAULT, cursor: Cursor = None) -> TemplatesOut:
    """The newest version of each template, in the order in which they were made."""
    found = await list_templates(here.read, after=last_shown(cursor), limit=limit + 1)
    page, next_cursor = cut(found, limit, lambda template: template.id)
    return TemplatesOut(items=[TemplateOut.of(template) for template in page], next_cursor=next_cursor)


@router.get("/v1/templates/{template_id}")
async def get_template(template_id: UUID, principal: Reader, here: Here) -> TemplateOut:
    """The newest version of a template."""
    return TemplateOut.of(await read_template(template_id, here.read))


@router.post("/v1/templates/{template_id}/preview")
async def post_preview(template_id: UUID, body: TemplatePreviewIn, principal: Reader, here: Here) -> TemplatePreviewOut:
    """The newest version filled in for a customer made up for it."""
    template, text = await preview_template(template_id, body.to_values(), here.read, here.renderer)
    return TemplatePreviewOut.of(template, text)
