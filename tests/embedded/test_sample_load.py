"""Loading the sample: broken off anywhere it goes on, what is sent twice is a replay, nothing is lost or doubled."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import duckdb
import httpx
import pytest
from rich.console import Console

from embedded.fake_shop import KEY, FakeShop
from regulars.samples import online_retail
from regulars.samples.online_retail import LoadStopped, Summary, marketing
from regulars.samples.online_retail.journal import path_in, read, write
from regulars.samples.online_retail.rows import FILE

FIRST_START = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # a Wednesday: the last day becomes Friday, 20 November
A_WEEK_LATER = datetime(2026, 12, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def gauges_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known to be quiet for long here."""
    monkeypatch.setattr(marketing, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(marketing, "_QUIET_S", 0.02)


@pytest.fixture(scope="module")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The year of some real customers, those who return most among them, and the receipts of the first morning."""
    file = tmp_path_factory.mktemp("sample") / "small.parquet"
    returners = "SELECT CustomerID FROM $T WHERE InvoiceNo LIKE 'C%' GROUP BY ALL ORDER BY count(*) DESC LIMIT 4"
    some = f"CustomerID IN ({returners}) OR CustomerID BETWEEN 12346 AND 12350 OR InvoiceNo < '536385'"
    query = f"COPY (SELECT * FROM $T WHERE {some}) TO '{file}'"
    with duckdb.connect() as connection:
        connection.execute(query.replace("$T", f"'{FILE}'"))
    return file


async def load(
    shop: FakeShop,
    home: Path,
    file: Path,
    *,
    at: datetime = FIRST_START,
    key: str = KEY,
    original_dates: bool = False,
    console: Console | None = None,
    tries: int = 1,
) -> Summary:
    return await online_retail.load(
        "http://shop",
        key,
        home,
        original_dates=original_dates,
        console=console or Console(file=io.StringIO()),
        file=file,
        clock=lambda: at,
        transport=httpx.ASGITransport(app=cast(Any, shop)),
        patience_s=(0.0,) * (tries - 1),
    )


async def test_the_year_arrives_whole_with_its_programme_first(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    summary = await load(shop, tmp_path, small_file)
    assert shop.order[0]["earn"] == {"GBP": "1"}
    assert len(shop.sent("purchase_id")) == summary.receipts > 200
    assert len(shop.sent("return_id")) == summary.returns > 100
    with duckdb.connect() as connection:
        row = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(small_file)]).fetchone()
    assert row == (summary.receipt_lines + summary.return_lines + sum(summary.set_aside.values()),)
    assert not summary.refused


async def test_each_customers_facts_arrive_in_the_order_of_time(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    await load(shop, tmp_path, small_file)
    newest: dict[str, datetime] = {}
    for fact in shop.sent("receipt_no"):
        if "customer" in fact:
            at, customer = datetime.fromisoformat(fact["occurred_at"]), fact["customer"]["id"]
            assert newest.get(customer, at) <= at
            newest[customer] = at


async def test_the_last_day_is_in_the_week_before_the_first_start(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    await load(shop, tmp_path, small_file)
    days = [purchase["business_date"] for purchase in shop.sent("purchase_id")]
    # 1 December 2010 and the last receipt of these customers, both 780 weeks on
    assert min(days) == "2025-11-12"
    assert "2026-11-14" <= max(days) <= "2026-11-20"
    assert shop.order[0]["effective_from"] == "2025-11-11"


async def test_original_dates_are_kept_when_asked_for(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    await load(shop, tmp_path, small_file, original_dates=True)
    assert min(purchase["business_date"] for purchase in shop.sent("purchase_id")) == "2010-12-01"


async def test_a_load_broken_off_anywhere_goes_on_and_ends_the_same(tmp_path: Path, small_file: Path) -> None:
    whole = FakeShop()
    (tmp_path / "whole").mkdir()
    expected = await load(whole, tmp_path / "whole", small_file)
    for count in (0, 1, 2, 5, 60, whole.requests - 1):
        home = tmp_path / f"after-{count}"
        home.mkdir()
        shop = FakeShop()
        shop.leaves_after = count
        with pytest.raises(LoadStopped, match="the next start goes on"):
            await load(shop, home, small_file)
        shop.leaves_after = None
        assert await load(shop, home, small_file, at=A_WEEK_LATER) == expected
        assert shop.stored == whole.stored


async def test_a_load_broken_off_again_and_again_comes_to_its_end(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    for stops in range(40, 100_000, 60):
        shop.leaves_after = stops
        try:
            summary = await load(shop, tmp_path, small_file)
        except LoadStopped:
            continue
        break
    assert summary.receipts == len(shop.sent("purchase_id"))
    assert summary.returns == len(shop.sent("return_id"))
    assert not summary.refused


async def test_steps_answered_but_not_noted_are_sent_again_and_change_nothing(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    expected = await load(shop, tmp_path, small_file)
    before, noted = dict(shop.stored), read(tmp_path)
    assert noted is not None
    write(tmp_path, type(noted)(noted.weeks))
    assert await load(shop, tmp_path, small_file) == expected
    assert shop.stored == before


async def test_a_finished_load_sends_nothing_more_and_tells_the_same(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    assert not online_retail.is_finished(tmp_path)
    expected = await load(shop, tmp_path, small_file)
    assert online_retail.is_finished(tmp_path)
    sent = shop.requests
    assert await load(shop, tmp_path, small_file) == expected
    assert shop.requests == sent


async def test_a_shop_that_is_away_for_a_moment_is_asked_again(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    shop.away.update({"/v1/purchases:batch": 2, "/v1/returns": 2, "/v1/customers:batch": 1, "/v1/ledger/totals": 1})
    summary = await load(shop, tmp_path, small_file, tries=3)
    assert (summary.receipts, summary.refused) == (len(shop.sent("purchase_id")), {})


async def test_a_refused_receipt_is_counted_by_its_code_and_stops_nobody(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    shop.refuses = {"536365": "receipt_number_taken", "536370": "receipt_number_taken"}
    summary = await load(shop, tmp_path, small_file)
    assert summary.refused == {"receipt_number_taken": 2}
    assert summary.receipts == len(shop.sent("purchase_id"))


async def test_a_key_that_is_refused_stops_the_load_with_a_clear_line(tmp_path: Path, small_file: Path) -> None:
    with pytest.raises(LoadStopped, match=r"answered 401 \(unknown_key\)"):
        await load(FakeShop(), tmp_path, small_file, key="another")


async def test_a_journal_that_cannot_be_read_is_not_guessed_anew(tmp_path: Path, small_file: Path) -> None:
    path_in(tmp_path).write_text("{", encoding="utf-8")
    with pytest.raises(LoadStopped, match="cannot be read"):
        await load(FakeShop(), tmp_path, small_file)


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_the_load_shows_how_far_it_is_and_what_came_of_it(
    tmp_path: Path, small_file: Path, is_terminal: bool
) -> None:
    shown = io.StringIO()
    await load(FakeShop(), tmp_path, small_file, console=Console(file=shown, force_terminal=is_terminal, width=120))
    said = shown.getvalue()
    assert ("100%" if is_terminal else "returns, 100 %") in said
    for words in ("points issued", "liability in points", "customers in tier gold", "lines set aside: price 0"):
        assert words in said


def test_a_key_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "regulars.samples", "--url", "http://127.0.0.1:9"]
    command += ["--key-file", str(tmp_path / "none"), "--home", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "No such file" in ended.stdout
    assert "Traceback" not in ended.stderr


async def test_everybody_is_scored_once_nothing_waits_any_more(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    waits = [
        b"",
        b'regulars_outbox_unsent{process="behind",topic="t"} 7.0\n',
        b'regulars_consumer_lag{group="g",process="behind",topic="t"} 12.0\n',
    ]
    shop.metrics = [*waits, *shop.metrics]
    summary = await load(shop, tmp_path, small_file)
    assert shop.campaign == "running"
    assert shop.stored["/v1/scoring/runs"] == {"as_of": max(p["business_date"] for p in shop.sent("purchase_id"))}
    assert summary.outlook.segments == {"champions": 4, "hibernating": 3}
    assert (summary.outlook.alarms, summary.outlook.messages, summary.outlook.events) == (3, 2, 99)
    assert (summary.outlook.expected_value, summary.outlook.model) == (1235, "own_rate")
    assert summary.outlook.degeneracies == ("no_drop_out (mbg_nbd)",)


async def test_a_year_that_cannot_be_scored_says_why(tmp_path: Path, small_file: Path) -> None:
    shop = FakeShop()
    shop.run = "failed"
    with pytest.raises(LoadStopped, match=r"nobody could be scored \(too_few_purchases\)"):
        await load(shop, tmp_path, small_file)
