"""A Spark session: of the cluster that Spark's own settings name, or of this machine where they name none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.adapters.files.spark.bench import SparkBench

_WRONG_USE = f"{WrongUse.__module__}.{WrongUse.__qualname__}: "
_SETTINGS = {
    # Days are those of the file, whatever the machine's zone is.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # Names are quoted as DuckDB and the standard have it.
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
}


@contextmanager
def a_session() -> Iterator[SparkBench]:
    """Raises `WrongUse` where Spark cannot be started, or a task refused what it was given."""
    # Tasks on this machine run by this Python; on a cluster Spark's settings say by which.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        session = _builder().getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise WrongUse(f"Spark does not start, it needs Java 17 or later: {str(error).splitlines()[0]}") from None
    try:
        yield _bench(session.newSession())
    except (PySparkException, Py4JError) as error:
        raise WrongUse(_reason(str(error))) from None
    finally:
        session.stop()


def _reason(told: str) -> str:
    """The refusal that a task has raised, or that Spark gave up."""
    lines = told.splitlines() or [""]
    refusals = [line.removeprefix(_WRONG_USE) for line in lines if line.startswith(_WRONG_USE)]
    return next(iter(refusals), f"Spark gave up, with more memory it may not: {lines[0]}")


def _builder() -> SparkSession.Builder:
    quiet = files(__package__).joinpath("log4j2.properties")
    builder = SparkSession.builder.appName("regulars score")
    for name, value in {
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={quiet}",
    }.items():
        builder = builder.config(name, value)
    return builder


def _bench(session: SparkSession) -> SparkBench:
    for name, value in _SETTINGS.items():
        session.conf.set(name, value)
    if session.sparkContext.master.startswith("local"):
        # The default, 200, is for clusters: here each would wait for the others.
        session.conf.set("spark.sql.shuffle.partitions", 2 * session.sparkContext.defaultParallelism)
    session.sql(
        "CREATE TEMPORARY FUNCTION days_between(earlier DATE, later DATE) RETURNS INT RETURN datediff(later, earlier)"
    )
    return SparkBench(session)
