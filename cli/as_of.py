"""``--as-of``: the same question to the marts as they were known at an earlier instant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.output import narrated
from core.settings import Settings

_HELP = (
    "Answer with what was known at this instant (UTC unless it says otherwise): the as_of of a number gives the "
    "number again. The first question about an instant computes its marts, which takes about a minute."
)


def _instant(text: str | datetime) -> datetime:
    try:
        found = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no instant; one is 2026-11-13T17:00:00Z") from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


AsOf = Annotated[datetime | None, typer.Option(parser=_instant, metavar="<instant>", help=_HELP)]


def published(settings: Settings, as_of: datetime | None) -> Settings:
    """The settings whose serving copy answers: these, or those of the instant, built when there is none."""
    if as_of is None:
        return settings
    from orchestration.known import marts_as_known

    with narrated():
        return marts_as_known(settings, as_of)
