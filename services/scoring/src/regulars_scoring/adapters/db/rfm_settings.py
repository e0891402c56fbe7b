"""The shop's settings of RFM, as JSON in their one row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from regulars_scoring.adapters.db.session import Session
from regulars_scoring.domain.grid import Area, Grid
from regulars_scoring.domain.rfm_settings import DEFAULT_SETTINGS, OwnCuts, RfmSettings

_KEEP = """
    INSERT INTO rfm_settings (document) VALUES ($1) ON CONFLICT (is_ours) DO UPDATE SET document = excluded.document
"""


def settings_in(document: Mapping[str, Any] | None) -> RfmSettings:
    """What the document says; the defaults where there is none."""
    if document is None:
        return DEFAULT_SETTINGS
    cuts = {axis: None if cut is None else tuple(cut) for axis, cut in document["cuts"].items()}
    return RfmSettings(document["window_days"], document["is_nested"], OwnCuts(**cuts), grid_in(document["grid"]))


def grid_in(document: Mapping[str, Any]) -> Grid:
    """JSON has lists where a grid has tuples."""
    areas = document["areas"]
    return Grid(tuple(Area(area["segment"], tuple(area["recency"]), tuple(area["frequency"])) for area in areas))


async def read_settings(session: Session) -> RfmSettings:
    row = await session.first("SELECT document FROM rfm_settings")
    return settings_in(None if row is None else row["document"])


async def keep_settings(session: Session, settings: RfmSettings) -> None:
    await session.execute(_KEEP, json.dumps(asdict(settings)))
