"""``waybill run``: everything once, on the connections of this installation."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.output import emit_json, err, narrated
from core.settings import get_settings


def run(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build every table anew, not only what came in since.")
    ] = False,
) -> None:
    """Read every source, gate, post what passed, measure, publish. Exit 1 when any part failed.

    On the connections of WAYBILL_CONNECTIONS, which have to answer: this starts no sandbox.
    """
    if full_refresh:
        from orchestration.dbt_builds import forget_builds

        forget_builds(get_settings())
    document, code = run_and_read(None)
    tell(document, json_output=json_output)
    raise typer.Exit(code)


def run_and_read(truth: str | None) -> tuple[dict[str, Any], int]:
    """Run the job; the result document, not yet printed, and the exit code. Problems are told on stderr."""
    from cli.result import result_document
    from orchestration.run import run_once

    settings = get_settings()
    with narrated():
        outcome = run_once(settings)
    for problem in outcome.problems:
        err.print(f"[red]problem[/red] {problem}", highlight=False)
    return result_document(settings, outcome, truth), 1 if outcome.problems else 0


def tell(document: dict[str, Any], *, json_output: bool) -> None:
    """Print a result document."""
    from cli.result import print_result

    if json_output:
        emit_json(document)
    else:
        print_result(document)
