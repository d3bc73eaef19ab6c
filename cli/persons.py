"""What every command asks for by which a person decides something: who it is, and why. The ledger keeps both."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer


def said(text: str) -> str:
    """The text without blanks around it; wrong usage when nothing is left."""
    if not text.strip():
        raise typer.BadParameter("a name and a reason are needed: the ledger keeps both")
    return text.strip()


Reason = Annotated[str, typer.Option(help="Why; the ledger keeps it.", callback=said)]
Actor = Annotated[str, typer.Option(help="Who you are.", default_factory=getpass.getuser, callback=said)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
