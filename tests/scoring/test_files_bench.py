"""What the file engine asks of DuckDB beyond its documentation."""

from __future__ import annotations

from regulars_scoring.adapters.files.bench import a_bench


def test_rows_are_numbered_as_they_come_out_of_the_sort() -> None:
    with a_bench() as bench:
        # Several row groups, so that more than one thread would have its share of them.
        bench.keep("people", "SELECT hash(range) % 1000000007 AS customer, range AS day FROM range(700000)")
        bench.keep_in_order("sorted", "SELECT customer, max(day) AS day FROM people GROUP BY customer", "customer")
        others = "SELECT place, row_number() OVER (ORDER BY customer) - 1 AS rank FROM sorted"
        assert bench.row(f"SELECT count(*), count(*) FILTER (WHERE place <> rank) FROM ({others})")[1] == 0
