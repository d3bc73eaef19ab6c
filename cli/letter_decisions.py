"""``waybill dead-letter fix | replay | discard``: what people decide about rows that were refused."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import emit_json, err, out, table
from cli.persons import Actor, Json, Reason
from core.settings import get_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from state.dead_letters import DeadLetter

Named = Annotated[str, typer.Argument(help="An id that `waybill dead-letter list` shows, or its beginning.")]
Several = Annotated[
    list[str] | None, typer.Argument(help="Ids, or their beginnings; without any, all that fit.")
]
OfConnection = Annotated[str | None, typer.Option("--connection", help="Only letters of this connection.")]
OfResource = Annotated[str | None, typer.Option("--resource", help="Only letters of this resource.")]
OfReason = Annotated[str | None, typer.Option("--reason-code", help="Only letters refused with this code.")]
Limit = Annotated[int, typer.Option(min=1, help="At most as many when no ids are given: the oldest ones.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before several letters are decided at once.")]


def fix(
    dead_letter_id: Named,
    reason: Reason,
    actor: Actor,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD=VALUE, a field of the contract; FIELD= takes it away."),
    ] = None,
    file: Annotated[
        str | None, typer.Option(help="A JSON object of fields, as `show --fields` prints it; - is stdin.")
    ] = None,
    changed_at: Annotated[
        str | None,
        typer.Option(help="When the row last changed, ISO 8601 with a zone; only where it does not say so."),
    ] = None,
    json_output: Json = False,
) -> None:
    """Write a better version beside what came; it is held to the contract of every row, and replayed later."""
    from ingestion.mending import mend
    from state.dead_letters import get
    from state.engine import open_state
    from state.heads import signed_after

    told = _fields(changes or [], file)
    settings = get_settings()
    engine = open_state(settings)
    with signed_after(settings, engine):
        made = mend(engine, get(engine, dead_letter_id), told, _instant(changed_at), actor, reason)
    if json_output:
        emit_json(vars(made))
    else:
        out.print(
            f"Fix {made.fix_no} of {made.dead_letter_id[:12]} keeps the contract: "
            f"waybill dead-letter replay {made.dead_letter_id[:12]}",
            markup=False,
        )


def replay(
    reason: Reason,
    actor: Actor,
    ids: Several = None,
    connection: OfConnection = None,
    resource: OfResource = None,
    reason_code: OfReason = None,
    limit: Limit = 100,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Load rows, mended or as they were mapped, the way of every row. Twice is once. Exit 1 when one is refused."""
    from ingestion.replaying import replay_letters
    from state.engine import open_state
    from state.heads import signed_after

    settings = get_settings()
    engine = open_state(settings)
    letters = _meant(engine, ids, ("open", "replaying"), connection, resource, reason_code, limit)
    _agreed("Replay", letters, named=bool(ids), yes=yes)
    with signed_after(settings, engine):
        fates = replay_letters(settings, engine, [each.dead_letter_id for each in letters], actor, reason)
    if json_output:
        emit_json([vars(each) for each in fates])
    else:
        columns = ("id", "outcome", "detail")
        table(
            "Replayed" if fates else "Nothing to replay",
            columns,
            [tuple(vars(each).values()) for each in fates],
        )
        out.print("The next `waybill run` builds on them.", markup=False)
    if any(each.outcome == "refused" for each in fates):
        raise typer.Exit(1)


def discard(
    reason: Reason,
    actor: Actor,
    ids: Several = None,
    connection: OfConnection = None,
    resource: OfResource = None,
    reason_code: OfReason = None,
    limit: Limit = 100,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Say that rows are not needed: they hold nothing up any more, and stay on record with who said so and why."""
    from core.clock import utc_now
    from state import letter_decisions
    from state.engine import open_state
    from state.heads import signed_after

    settings = get_settings()
    engine = open_state(settings)
    letters = _meant(engine, ids, ("open",), connection, resource, reason_code, limit)
    _agreed("Discard", letters, named=bool(ids), yes=yes)
    with signed_after(settings, engine):
        letter_decisions.discard(engine, letters, letter_decisions.Word(actor, reason, utc_now()))
    names = [each.dead_letter_id for each in letters]
    if json_output:
        emit_json({"discarded": names})
    else:
        out.print(f"{len(names)} discarded.", markup=False)


def _meant(
    engine: Engine,
    ids: Sequence[str] | None,
    statuses: tuple[str, ...],
    connection: str | None,
    resource: str | None,
    reason_code: str | None,
    limit: int,
) -> list[DeadLetter]:
    """The letters that are named, else the oldest that fit; wrong usage when neither says which."""
    from state.dead_letters import Wanted, get, wanted

    filters = (connection, resource, reason_code)
    if bool(ids) == any(filters):
        raise typer.BadParameter(
            "name ids, or say which with --connection, --resource or --reason-code: one of the two"
        )
    if ids:
        return list({(each := get(engine, named)).dead_letter_id: each for named in ids}.values())
    return wanted(engine, Wanted(statuses, *filters))[::-1][:limit]


def _agreed(verb: str, letters: Sequence[DeadLetter], *, named: bool, yes: bool) -> None:
    """Ask before letters that nobody named one by one are decided; a no, or nobody to ask, ends the command with 1."""
    if letters and not named and not yes:
        for each in letters:
            err.print(
                f"{each.dead_letter_id[:12]} {each.connection} {each.resource} {each.reason}", markup=False
            )
        typer.confirm(f"{verb} {len(letters)} dead letters?", abort=True, err=True)


def _fields(changes: Sequence[str], file: str | None) -> dict[str, Any]:
    """What is to be changed, by field; wrong usage when it is not told so."""
    from ingestion.strict_json import JsonRefused, fault_of, loads

    told: dict[str, Any] = {}
    if file is not None:
        try:
            found = loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
        except (JsonRefused, OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{file} cannot be read: {error}", param_hint="--file") from error
        if not isinstance(found, dict):
            raise typer.BadParameter(f"{file} holds no JSON object", param_hint="--file")
        if (fault := fault_of(found)) is not None:
            raise typer.BadParameter(f"{file}: {fault}", param_hint="--file")
        told |= found
    for each in changes:
        name, is_told, value = each.partition("=")
        if not name or not is_told:
            raise typer.BadParameter(f"{each!r} is not FIELD=VALUE", param_hint="--set")
        told[name] = _value(value)
    if not told:
        raise typer.BadParameter("say what is to be changed, with --set or --file")
    return told


def _value(text: str) -> Any:
    """true and false as such, nothing as no value, all else as text: contracts take numbers and times from text."""
    return {"": None, "true": True, "false": False}.get(text, text)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 time", param_hint="--changed-at") from error
    if found.tzinfo is None:
        raise typer.BadParameter(f"{text!r} names no zone", param_hint="--changed-at")
    return found
