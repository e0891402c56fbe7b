"""The page for the shop: one file, nothing from outside, no markup of the file, and a sentence to each picture."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from regulars_scoring.adapters.engine import degeneracy
from regulars_scoring.adapters.report.figures import MEANINGS
from regulars_scoring.adapters.report.page import report_of
from regulars_scoring.adapters.report.svg import shade, ticks_to
from regulars_scoring.domain.findings import Findings
from regulars_scoring.domain.grid import DEFAULT_GRID
from regulars_scoring.domain.plain_words import OF_ANOTHER, OF_BUYING, OF_SERVING, notes_of
from scoring.files_shop import CDNOW, OF_ONLINE_RETAIL, ONLINE_RETAIL, regular_rows, scored, written

PICTURES = ("RFM heat map", "Lift by tenths", "Foretold and actual churn", "Repeat purchases, actual and expected")


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    folder = tmp_path_factory.mktemp("cdnow")
    return scored(CDNOW, out=folder / "scores.csv", report=folder / "report.html", as_of=date(1998, 6, 30))


def test_it_asks_nothing_of_the_world_and_runs_no_script(findings: Findings) -> None:
    page = report_of(findings)
    assert "://" not in page
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|\bsrc=", page)
    assert "default-src 'none'" in page


def test_each_picture_is_there_and_says_how_it_is_read(findings: Findings) -> None:
    page = report_of(findings)
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    labels = [Xml.fromstring(drawing).get("aria-label") or "" for drawing in drawings]
    assert len(drawings) == len(PICTURES)
    for picture in PICTURES:
        assert any(label.startswith(f"{picture}. ") for label in labels)
    # The pictures, the tenths and the triangle of cohorts.
    assert page.count("How to read it:") == len(PICTURES) + 2
    assert page.count('class="triangle"') == 2


def test_every_tag_is_closed(findings: Findings) -> None:
    page = report_of(findings).replace("<!DOCTYPE html>", "")
    page = re.sub(r"<(meta[^>]*)>", r"<\1/>", page)
    assert Xml.fromstring(page).tag == "html"


def test_what_comes_from_the_file_is_words_and_no_markup(findings: Findings) -> None:
    page = report_of(replace(findings, file="<script>alert(1)</script>.csv"))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_fit_at_a_boundary_is_named_in_plain_words(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    findings = scored(ONLINE_RETAIL, out=tmp_path / "scores.csv", report=report, **OF_ONLINE_RETAIL)
    assert findings.notes == (OF_SERVING["own_rate"], OF_ANOTHER + OF_BUYING["no_drop_out"])
    assert "hardly anybody ever leaves for good" in report.read_text()


def test_without_hindsight_the_page_says_why(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    scored(written(tmp_path / "a.csv", regular_rows()), report=report, as_of=date(2025, 6, 1))
    assert "It cannot be said yet: the purchases cover less than twice 90 days." in report.read_text()


def test_every_boundary_and_every_segment_has_plain_words() -> None:
    names = {value for name, value in vars(degeneracy).items() if name.isupper() and isinstance(value, str)}
    assert OF_BUYING.keys() == names
    assert MEANINGS.keys() == set(DEFAULT_GRID.segments)
    assert "unusual way (of_tomorrow)" in notes_of("mbg_nbd", ["of_tomorrow"], None)[0]


@pytest.mark.parametrize("share", [place / 100 for place in range(101)])
def test_words_stand_out_from_every_shade(share: float) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        r, g, b = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    dark, light = sorted(map(luminance, shade(share)))
    # WCAG 2.2 AA.
    assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [(0.0, [0, 1]), (1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (11_778, [0, 2500, 5000, 7500, 10000, 12500])],
)
def test_ticks_are_round_and_reach_the_largest(largest: float, ticks: list[float]) -> None:
    assert ticks_to(largest) == pytest.approx(ticks)
