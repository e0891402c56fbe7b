"""How the shop wants its customers placed: settings of RFM, in force from the next run on."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from dataclasses import asdict
from typing import Annotated, Self

from fastapi import Depends
from pydantic import Field

from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.models import Minor, StrictModel, Text
from regulars_scoring.adapters.http.context import Here, Reader
from regulars_scoring.application.change_rfm_settings import change_rfm_settings
from regulars_scoring.application.read_rfm_settings import read_rfm_settings
from regulars_scoring.domain.grid import DEFAULT_GRID, SCORES, Area, Grid
from regulars_scoring.domain.rfm_settings import OwnCuts, RfmSettings

router = Router(tags=["scoring"])

Runner = Annotated[Principal, Depends(requires("scoring:run"))]

MOST_DAYS = 36_500
"""A hundred years: more than any shop has seen, of a window as of a silence; and as many occasions."""

Count = Annotated[int, Field(ge=0, le=MOST_DAYS)]
Counts = Annotated[tuple[Count, ...], Field(min_length=SCORES - 1, max_length=SCORES - 1)]
Amounts = Annotated[tuple[Minor, ...], Field(min_length=SCORES - 1, max_length=SCORES - 1)]
Score = Annotated[int, Field(ge=1, le=SCORES)]
Scores = Annotated[tuple[Score, ...], Field(min_length=1, max_length=SCORES)]


class AreaSaid(StrictModel):
    """All cells with one of these scores of recency and one of these of frequency bear the segment's name."""

    segment: Text
    recency: Scores
    frequency: Scores


class CutsSaid(StrictModel):
    """Four ascending numbers per axis; null: fifths of the customers.

    `recency_days`: the most days since the last occasion that score 5, 4, 3, 2. `frequency` and `monetary_minor`: the
    least occasions, and net minor units, that score 2, 3, 4, 5.
    """

    recency_days: Counts | None = None
    frequency: Counts | None = None
    monetary_minor: Amounts | None = None


class SettingsSaid(StrictModel):
    """`window_days`: frequency and monetary value count these last days alone; null: all history.

    `nested`: frequency is scored among those alike in recency, monetary value among those alike in both. `grid`: areas
    that cover each of the 25 cells of recency and frequency once; several may bear one name.
    """

    window_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None
    nested: bool = False
    cuts: CutsSaid = CutsSaid()
    grid: Annotated[tuple[AreaSaid, ...], Field(min_length=1, max_length=SCORES * SCORES)] = tuple(
        AreaSaid(**asdict(area)) for area in DEFAULT_GRID.areas
    )

    @classmethod
    def of(cls, settings: RfmSettings) -> Self:
        return cls(
            window_days=settings.window_days,
            nested=settings.is_nested,
            cuts=CutsSaid(**asdict(settings.cuts)),
            grid=tuple(AreaSaid(**asdict(area)) for area in settings.grid.areas),
        )

    def to_domain(self) -> RfmSettings:
        return RfmSettings(
            window_days=self.window_days,
            is_nested=self.nested,
            cuts=OwnCuts(**self.cuts.model_dump()),
            grid=Grid(tuple(Area(**area.model_dump()) for area in self.grid)),
        )


@router.get("/v1/scoring/rfm/settings")
async def get_settings(principal: Reader, here: Here) -> SettingsSaid:
    """The shop's settings of RFM; the defaults while it has none of its own."""
    return SettingsSaid.of(await read_rfm_settings(here.read))


@router.put("/v1/scoring/rfm/settings")
async def put_settings(body: SettingsSaid, principal: Runner, here: Here) -> SettingsSaid:
    """Settings as a whole: what is left out is as by default. The next run places everybody by them."""
    await change_rfm_settings(body.to_domain(), here.begin)
    return body
