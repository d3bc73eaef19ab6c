"""``waybill run``: everything once, on the connections of this installation."""

from __future__ import annotations

from typing import Annotated

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
    raise typer.Exit(run_and_report(None, json_output=json_output))


def run_and_report(truth: str | None, *, json_output: bool, is_told: bool = True) -> int:
    """Run the job, print the result unless another document is this command's; the exit code."""
    from cli.result import print_result, result_document
    from orchestration.run import run_once

    settings = get_settings()
    with narrated():
        outcome = run_once(settings)
    if is_told:
        document = result_document(settings, outcome, truth)
        if json_output:
            emit_json(document)
        else:
            print_result(document)
    for problem in outcome.problems:
        err.print(f"[red]problem[/red] {problem}", highlight=False)
    return 1 if outcome.problems else 0
