"""``waybill gate``: what was decided about an invoice and the confirmation before it, and why; and by which rules."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import approvals, replays, rulesets
from cli.output import out
from core.errors import WaybillError
from core.flows import FLOWS
from core.settings import get_settings

app = typer.Typer(help="What was decided about an invoice, and why.", no_args_is_help=True)


@app.command("explain")
def explain_decision(
    key: Annotated[str, typer.Argument(help="A shipment's number, or what the invoice bills (business_id).")],
) -> None:
    """Print the standing decisions as a controller would want them: every reason, what to do, and what waits for what; also
    that on its credit note."""
    from quality.explain import explain, explain_credit
    from state import credit_decisions, gate_inputs, order_keys, outbox
    from state.decisions import latest
    from state.engine import open_state

    engine = open_state(get_settings())
    found = [
        each
        for flow in reversed(FLOWS)
        for each in latest(engine, operation=flow.operation).values()
        if key in {each.shipment_no, each.business_id}
    ]
    shipments = {key, *(each.shipment_no for each in found)}
    notes = [each for each in credit_decisions.standing(engine).values() if each.shipment_no in shipments]
    if not found and not notes:
        raise WaybillError(
            f"No decision about {key!r}.",
            remedy='`waybill query "SELECT shipment_no, gate_verdict FROM marts.fct_shipments"` lists the keys.',
        )
    kept = {each.decision_id: line for each, line in gate_inputs.find(engine, found)}
    told = [explain(each, kept.get(each.decision_id)) for each in found]
    out.print("\n\n".join((*told, *map(explain_credit, notes))), markup=False)
    ready = [each for each in outbox.rows(engine, "READY") if key in {each.shipment_no, each.business_id}]
    for wait in order_keys.waits_for(engine, ready).values():
        out.print(f"\nIn the outbox: {wait.told}", markup=False)


app.command("replay", epilog="Before a change of rules: waybill gate replay --all --policy new.yaml")(
    replays.replay
)
app.command("ask")(approvals.ask)
app.command("approve")(approvals.approve)
app.command("reject")(approvals.reject)
app.command("approvals")(approvals.waiting)
app.command("rules")(rulesets.show)
app.command("propose-rules")(rulesets.propose)
app.command("approve-rules", epilog="Read `waybill gate rules` first: it names the version.")(
    rulesets.approve
)
app.command("reject-rules")(rulesets.reject)
