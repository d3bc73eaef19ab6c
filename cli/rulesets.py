"""``waybill gate rules | propose-rules | approve-rules | reject-rules``: four eyes on a change of the rules themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import emit_json, out
from cli.persons import Actor, Json, Reason
from core.settings import get_settings

if TYPE_CHECKING:
    from state.rulesets import Answer, Rules, Ruleset
    from state.shipped_rules import Gate

Version = Annotated[
    str, typer.Argument(help="The beginning of the version that you have looked at, eight signs or more.")
]


def show(json_output: Json = False) -> None:
    """Show the rules in force, those in the files, what differs, and what waits for a second person."""
    from state import rulesets
    from state.engine import open_state, reading

    with reading(open_state(get_settings())) as db:
        found = [
            _state(own, standing, rulesets.waiting(db, own.gate))
            | {"is_in_ledger": standing is None or rulesets.is_told(db, standing)}
            for own in _own().values()
            for standing in [rulesets.in_force(db, own.gate)]
        ]
    if json_output:
        emit_json(found)
        return
    out.print("\n\n".join("\n".join(_lines(each)) for each in found), markup=False)


def propose(reason: Reason, actor: Actor, json_output: Json = False) -> None:
    """Propose the rules as they are in the files, of each gate where they differ from those in force."""
    from core.clock import utc_now
    from core.errors import PermanentFailure
    from state import rulesets
    from state.engine import open_state, reading
    from state.heads import signed_after

    settings = get_settings()
    engine = open_state(settings)
    with reading(engine) as db:
        changed = [own for own in _own().values() if rulesets.approved(db, own).version != own.version]
    if not changed:
        raise PermanentFailure(
            "The rules in the files are those in force: there is nothing to propose.",
            remedy="Change quality/policy.yaml or a rule first; `waybill gate rules` shows what differs.",
        )
    with signed_after(settings, engine):
        made = [rulesets.propose(engine, own, actor, reason, utc_now()) for own in changed]
    if json_output:
        emit_json([_row(each) for each in made])
        return
    for each in made:
        out.print(
            f"The rules of {rulesets.NAMES[each.gate]} wait for somebody else: `waybill gate approve-rules "
            f"{each.ruleset_version[: rulesets.SHORT]} --reason TEXT`.",
            markup=False,
        )


def approve(version: Version, reason: Reason, actor: Actor, json_output: Json = False) -> None:
    """Approve the rules that another person proposed and that are in your files too; they are in force at once."""
    _answer(version, "granted", reason, actor, json_output)


def reject(version: Version, reason: Reason, actor: Actor, json_output: Json = False) -> None:
    """Reject what another person proposed; the rules in force stay so."""
    _answer(version, "rejected", reason, actor, json_output)


def _answer(version: str, given: Answer, reason: str, actor: str, json_output: bool) -> None:
    from core.clock import utc_now
    from state import rulesets
    from state.engine import open_state
    from state.heads import signed_after

    settings = get_settings()
    engine = open_state(settings)
    with signed_after(settings, engine):
        answered = rulesets.answer(engine, version, _own(), given, actor, reason, utc_now())
    if json_output:
        emit_json(_row(answered))
        return
    out.print(
        f"The rules {answered.ruleset_version[: rulesets.SHORT]} of {rulesets.NAMES[answered.gate]}: "
        f"{given} by {answered.answered_by}.",
        markup=False,
    )


def _own() -> dict[Gate, Ruleset]:
    """The rules in the files, of each gate."""
    from quality.policy import load_policy
    from quality.rules import ruleset
    from state import credit_gate

    found = ruleset(load_policy()), credit_gate.ruleset(credit_gate.load_policy())
    return {each.gate: each for each in found}


def _state(own: Ruleset, standing: Rules | None, asked: Rules | None) -> dict[str, Any]:
    from state.ruleset_changes import changes

    return {
        "gate": own.gate,
        "in_force": _row(standing) if standing else None,
        "in_files": {"ruleset_version": own.version, "policy_version": own.policy_version},
        "is_release": own.is_shipped,
        "is_approved": standing.ruleset_version == own.version if standing else own.is_shipped,
        "changes": changes(standing.content, own.content) if standing else [],
        "waiting": _row(asked)
        | {
            "is_in_files": asked.ruleset_version == own.version,
            "changes": changes(standing.content, asked.content) if standing else [],
        }
        if asked
        else None,
    }


def _lines(state: dict[str, Any]) -> list[str]:
    """One gate for a terminal."""
    from state.rulesets import NAMES, SHORT

    def named(rules: dict[str, Any]) -> str:
        return f"{rules['ruleset_version'][:SHORT]}, policy {rules['policy_version']}"

    standing, asked, here = state["in_force"], state["waiting"], state["in_files"]
    lines = [
        f"Rules of {NAMES[state['gate']]}",
        f"  in force  {named(standing)}: {standing['told']}"
        if standing
        else "  in force  none yet: the first decision takes the release's",
        *(
            []
            if state["is_in_ledger"]
            else ["  WARNING   the ledger does not know of it: somebody wrote it past Waybill"]
        ),
        f"  in files  {named(here)}"
        + (", the release's own" if state["is_release"] else "")
        + ("" if state["is_approved"] else ": NOT APPROVED, nothing is released by them"),
        *(f"  changed   {each}" for each in state["changes"]),
    ]
    if asked:
        lines.append(
            f"  waiting   {named(asked)}, proposed by {asked['proposed_by']}: {asked['proposed_because']}"
        )
    if asked and asked["is_in_files"]:
        lines.append(
            f"  to do     somebody else: waybill gate approve-rules {here['ruleset_version'][:SHORT]} --reason TEXT"
        )
    elif asked:
        lines += [f"  proposed  {each}" for each in asked["changes"]]
        lines.append("  to do     these files are not what was proposed: bring them to it, or propose anew")
    elif not state["is_approved"]:
        lines.append("  to do     waybill gate propose-rules --reason TEXT, or bring the files back")
    return lines


def _row(rules: Rules) -> dict[str, Any]:
    row = {name: value for name, value in vars(rules).items() if name != "content"}
    return row | {"told": rules.told if rules.answer in {"shipped", "granted"} else None}
