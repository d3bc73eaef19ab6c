"""The gate between the dbt assets: verdicts into the state store, then into ``raw_gate.decisions``."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from core.flows import FLOWS, INVOICE, Flow
from orchestration.column_metadata import arrow_entry
from orchestration.corrections import draft_corrections
from orchestration.platform import Platform
from quality.rules import INDEX

if TYPE_CHECKING:
    from quality.gate import GateResult

log = logging.getLogger("waybill.gate")

DECISIONS = dg.AssetKey(["raw_gate", "decisions"])
_EMPTY = "EMPTY_BATCH"


def gate_assets() -> dg.AssetsDefinition:
    """One asset with one check per rule, and the check that stops the batch."""

    @dg.multi_asset(
        name="gate",
        specs=[
            dg.AssetSpec(
                key=DECISIONS,
                deps=[dg.AssetKey(["candidates", flow.candidates]) for flow in FLOWS],
                description="One row per evaluation of a candidate of any flow: verdict and every reason.",
                group_name="gate",
                owners=["team:finance-control"],
                kinds={"greatexpectations", "duckdb"},
            )
        ],
        check_specs=[spec for flow in FLOWS for spec in _check_specs(flow)],
        required_resource_keys={"platform"},
    )
    def _gate(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        from activation.push import recover
        from ingestion.ledger import project_gate, schema_of_table
        from quality.gate import gate
        from state.heads import signed_after
        from state.projections import GATE

        platform: Platform = context.resources.platform
        # What a crash left in doubt is settled first: the gate holds whatever may be under way.
        with signed_after(platform.settings, platform.engine):
            recover(platform.engine, platform.connections)
        results = {
            flow: gate(platform.settings, platform.engine, platform.connections, context.run_id, flow)
            for flow in FLOWS
        }
        result = results[INVOICE]
        drafted = draft_corrections(platform, context.run_id)
        project_gate(platform.settings, platform.engine)
        verdicts = Counter(each.verdict for each in result.decisions)
        log.info(
            "gate: %d candidates, %d released, %d blocked",
            len(result.decisions),
            verdicts["released"],
            verdicts["blocked"],
        )
        yield dg.MaterializeResult(
            asset_key=DECISIONS,
            metadata={
                "dagster/row_count": len(result.decisions),
                "dagster/column_schema": arrow_entry(schema_of_table(GATE["decisions"])),
                "released": verdicts["released"],
                "blocked": verdicts["blocked"],
                "credit notes drafted": len(drafted),
                **{
                    f"{flow.operation} {verdict}": sum(each.verdict == verdict for each in found.decisions)
                    for flow, found in results.items()
                    if flow is not INVOICE
                    for verdict in ("released", "blocked")
                },
                "data docs": dg.MetadataValue.path(str(platform.settings.data_docs / "index.html")),
            },
        )
        for flow, found in results.items():
            yield from checks_of(found, flow)

    return _gate


def check_name(flow: Flow, of: str) -> str:
    """What a check of a flow is called: of the invoice's the rule's own code."""
    return of.lower() if flow is INVOICE else f"{flow.operation}_{of.lower()}"


def _check_specs(flow: Flow) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            check_name(flow, "batch"),
            asset=DECISIONS,
            # What cannot be judged is not released. Of what is kept up it stops no other flow.
            blocking=not flow.is_kept_up,
            description="Every rule ran on a complete batch; without that nothing is released.",
        ),
        *(
            dg.AssetCheckSpec(check_name(flow, rule.code), asset=DECISIONS, description=rule.explanation)
            for rule in INDEX[flow.operation]
        ),
    ]


def checks_of(result: "GateResult", flow: Flow = INVOICE) -> Iterator[dg.AssetCheckResult]:
    """The check of a flow's batch, and then one for each of its rules."""
    # A day without deliveries releases nothing but is no defect; a rule that did not run is one.
    stops = result.batch_fatal is not None and result.batch_fatal != _EMPTY
    yield dg.AssetCheckResult(
        asset_key=DECISIONS,
        check_name=check_name(flow, "batch"),
        passed=result.batch_fatal is None,
        severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
        metadata={"cause": result.batch_fatal or "none"},
    )
    by_code = {each.code: each for each in result.rule_results}
    for rule in INDEX[flow.operation]:
        found = by_code.get(rule.code)
        yield dg.AssetCheckResult(
            asset_key=DECISIONS,
            check_name=check_name(flow, rule.code),
            passed=found is not None and found.failed == 0,
            # A rule holds its own invoices and never the batch.
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "evaluated": found.evaluated if found else 0,
                "failed": found.failed if found else 0,
                "disposition": rule.disposition,
                "owner": rule.owner,
            },
        )
