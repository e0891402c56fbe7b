"""The `regulars` command."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from regulars.refusals import CannotStart
from regulars.score.command import score

command = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
cluster_command = typer.Typer(invoke_without_command=True)
command.add_typer(cluster_command, name="cluster")

Messages = Annotated[
    Path | None,
    typer.Option(
        envvar="REGULARS_MESSAGES",
        help="Folder that campaigns write e-mails to, one file each; the sample has one by itself, HOME/messages.",
    ),
]


class Sample(StrEnum):
    ONLINE_RETAIL = "online-retail"
    NONE = "none"


@command.callback()
def regulars() -> None:
    """Regulars: customers, purchases and points."""


@command.command()
def up(
    home: Annotated[Path, typer.Option(envvar="REGULARS_HOME", help="Where data and keys are kept.")] = Path(
        ".regulars"
    ),
    port: Annotated[int, typer.Option(envvar="REGULARS_PORT", min=0, max=65535, help="0: any free one.")] = 8080,
    host: Annotated[str, typer.Option(envvar="REGULARS_HOST", help="0.0.0.0: for the whole network.")] = "127.0.0.1",
    sample: Annotated[
        Sample, typer.Option(envvar="REGULARS_SAMPLE", help="What a new home is filled with.")
    ] = Sample.ONLINE_RETAIL,
    original_dates: Annotated[
        bool, typer.Option("--original-dates", help="Keep the sample in 2010 and 2011; else its last day is last week.")
    ] = False,
    messages: Messages = None,
) -> None:
    """Open the shop: every service, on a PostgreSQL of its own. Ctrl-C closes it."""
    # Imported here: `--help` need not wait for it. What is imported stays, so collecting garbage meanwhile is in
    # vain and takes a tenth of the start; frozen, it is not looked through again by the collections to come.
    gc.disable()
    from regulars.shop import Options, open_shop

    gc.freeze()
    gc.enable()

    with _one_line():
        open_shop(
            Options(home, host, port, sample is Sample.ONLINE_RETAIL, original_dates, messages),
            typer.echo,
        )


@cluster_command.callback()
def cluster(
    context: typer.Context,
    home: Annotated[Path, typer.Option(envvar="REGULARS_HOME", help="Where data, keys and logs are kept.")] = Path(
        ".regulars-cluster"
    ),
    port: Annotated[int, typer.Option(envvar="REGULARS_PORT", min=0, max=65535, help="0: any free one.")] = 8080,
    host: Annotated[str, typer.Option(envvar="REGULARS_HOST", help="0.0.0.0: for the whole network.")] = "127.0.0.1",
    messages: Messages = None,
) -> None:
    """Open the shop as separate processes, on PostgreSQL, Kafka and nginx on this machine. Ctrl-C closes it.

    Of a cluster that runs, `cluster stop NAME…` ends processes and holds them down, `cluster start NAME…` lets them go.
    """
    context.obj = home
    if context.invoked_subcommand is not None:
        return
    from regulars.distributed.run import Options, open_cluster

    with _one_line():
        open_cluster(Options(home, host, port, messages), typer.echo)


Names = Annotated[
    list[str], typer.Argument(help="loyalty.relay, kafka, …; scoring stands for all processes of its own.")
]


@cluster_command.command()
def stop(context: typer.Context, names: Names) -> None:
    """End processes of the running cluster in good order, and hold them down until they are started."""
    from regulars.distributed import control

    with _one_line():
        control.stop(context.obj, names, typer.echo)


@cluster_command.command()
def start(context: typer.Context, names: Names) -> None:
    """Start processes again that were stopped."""
    from regulars.distributed import control

    with _one_line():
        control.start(context.obj, names, typer.echo)


@command.command()
def reconcile(
    home: Annotated[Path, typer.Option(envvar="REGULARS_HOME", help="Of the run that is looked at.")] = Path(
        ".regulars"
    ),
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds for which differences may be events that are still under way.")
    ] = 30.0,
) -> None:
    """Compare what every service knows with loyalty's facts, customer by customer, in a running home.

    Exit status 0: everything agrees. 1: it does not; the table and the first differences say where. 2: it could not
    look. It changes nothing: a difference that stays is to be reported, since there is no repair by replay yet.
    """
    from regulars.reconcile.run import reconcile as look
    from regulars.reconcile.sources import CannotLook, sources_of
    from regulars_kit.observe import set_up_logs

    # What the clients of Kafka and PostgreSQL complain of is said in our own line.
    set_up_logs("critical", as_json=False)
    try:
        agrees = asyncio.run(look(sources_of(home), wait, typer.echo))
    except CannotLook as refusal:
        typer.echo(f"regulars: {refusal}", err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(0 if agrees else 1)


command.command()(score)


@contextmanager
def _one_line() -> Iterator[None]:
    """What cannot be done is said in one line, with exit status 1."""
    try:
        yield
    except CannotStart as refusal:
        typer.echo(f"regulars: {refusal}", err=True)
        raise typer.Exit(1) from None


def main() -> None:
    """The entry point of the installed command."""
    command()


if __name__ == "__main__":
    main()
