"""``waybill ledger``: proving that nobody changed what happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import emit_json, err, out
from core.errors import PermanentFailure, WaybillError
from core.settings import get_settings

if TYPE_CHECKING:
    from state.heads import Head
    from state.ledger import Verification

app = typer.Typer(
    help="The append-only ledger: what was done to whom, and proof that nobody changed it.",
    no_args_is_help=True,
)


@app.command(
    "verify", epilog="With a copy kept elsewhere: waybill ledger verify --against heads.jsonl --key PUBLIC"
)
def verify_ledger(
    against: Annotated[
        Path | None,
        typer.Option(
            help="Signed heads kept elsewhere, as `waybill ledger export` prints them.", exists=True
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="A public key to believe, as kept elsewhere; without it those the ledger names."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check every row against the chain, and the chain against its signed heads.

    Exit 1 names the first row that was edited or deleted, the rows that are missing at the end, and signatures that
    are broken or foreign.
    """
    chain, signed, found = _findings(against, key)
    if json_output:
        emit_json({"rows": chain.rows, "first_bad": chain.first_bad, "heads": len(signed), "problems": found})
    if found:
        raise WaybillError(
            f"The ledger was changed: {'; '.join(found[:5])}{' …' if len(found) > 5 else ''}.",
            remedy="Keep the home as it is for the auditors and compare it with a backup (docs/runbooks.md).",
        )
    if not json_output:
        last = f", signed up to row {signed[-1].sequence:,}" if signed else ", not signed yet"
        out.print(f"{chain.rows:,} rows, chain intact{last}.")


def _findings(against: Path | None, keys: list[str] | None) -> tuple[Verification, list[Head], list[str]]:
    """The chain, the home's own heads, and every problem of either or of the copy kept elsewhere."""
    from state import heads
    from state.engine import open_state
    from state.ledger import verify

    settings = get_settings()
    # The heads before the rows: a batch that ends in between adds rows, which is no defect.
    signed = heads.read(settings.ledger_heads)
    kept = heads.read(against) if against else []
    if against and not kept:
        raise WaybillError(f"{against} holds no signed head.", remedy="`waybill ledger export` prints them.")
    engine = open_state(settings)
    chain = verify(engine)
    found = [chain.problem] if chain.problem else []
    found += heads.problems(engine, signed, keys)
    found += [f"{against}: {each}" for each in heads.problems(engine, kept, keys)] if kept else []
    return chain, signed, found


@app.command("head")
def print_head() -> None:
    """Print the newest signed head as one line of JSON: what an auditor keeps elsewhere after each batch."""
    out.file.write(_signed()[-1].line() + "\n")


@app.command("export", epilog="For instance: waybill ledger export > /media/audit/heads.jsonl")
def export_heads() -> None:
    """Print every signed head, one line of JSON each; the public keys that signed go to stderr."""
    signed = _signed()
    out.file.writelines(f"{head.line()}\n" for head in signed)
    for key in dict.fromkeys(head.key for head in signed):
        err.print(f"public key {key}")


def _signed() -> list[Head]:
    """All heads, of which the newest covers every row; PermanentFailure when nothing was ever written."""
    from state import heads
    from state.engine import open_state

    settings = get_settings()
    heads.sign(settings, open_state(settings))
    signed = heads.read(settings.ledger_heads)
    if not signed:
        raise PermanentFailure("The ledger has no rows yet.", remedy="`waybill run` writes the first ones.")
    return signed
