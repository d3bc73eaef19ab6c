"""``waybill ledger``: proving that nobody changed what happened."""

from __future__ import annotations

import typer

from cli.output import out
from core.errors import WaybillError
from core.settings import get_settings

app = typer.Typer(
    help="The append-only ledger: what was done to whom, and proof that nobody changed it.",
    no_args_is_help=True,
)


@app.command("verify")
def verify_ledger() -> None:
    """Check every row's hash against the chain; exit 1 names the first row that does not fit."""
    from state.engine import open_state
    from state.ledger import verify

    verification = verify(open_state(get_settings()))
    if verification.first_bad is not None:
        raise WaybillError(
            f"The ledger's row {verification.first_bad} does not fit its chain.",
            remedy="Compare with a backup; nothing before that row was changed.",
        )
    out.print(f"{verification.rows:,} rows, chain intact.")
