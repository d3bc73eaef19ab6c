"""The gate between the dbt assets: verdicts into the state store, then into ``raw_gate.decisions``."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.column_metadata import arrow_entry
from orchestration.corrections import draft_corrections
from orchestration.platform import Platform
from quality.rules import RULES

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
                deps=[dg.AssetKey(["candidates", "invoice_candidates"])],
                description="One row per evaluation of an invoice candidate: verdict and every reason.",
                group_name="gate",
                owners=["team:finance-control"],
                kinds={"greatexpectations", "duckdb"},
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "batch",
                asset=DECISIONS,
                blocking=True,
                description="Every rule ran on a complete batch; without that nothing is released.",
            ),
            *(
                dg.AssetCheckSpec(rule.code.lower(), asset=DECISIONS, description=rule.explanation)
                for rule in RULES
            ),
        ],
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
        result = gate(platform.settings, platform.engine, platform.connections, context.run_id)
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
                "data docs": dg.MetadataValue.path(str(platform.settings.data_docs / "index.html")),
            },
        )
        yield from checks_of(result)

    return _gate


def checks_of(result: "GateResult") -> Iterator[dg.AssetCheckResult]:
    """The check of the batch, and then one for each rule."""
    # A day without deliveries releases nothing but is no defect; a rule that did not run is one.
    stops = result.batch_fatal is not None and result.batch_fatal != _EMPTY
    yield dg.AssetCheckResult(
        asset_key=DECISIONS,
        check_name="batch",
        passed=result.batch_fatal is None,
        severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
        metadata={"cause": result.batch_fatal or "none"},
    )
    by_code = {each.code: each for each in result.rule_results}
    for rule in RULES:
        found = by_code.get(rule.code)
        yield dg.AssetCheckResult(
            asset_key=DECISIONS,
            check_name=rule.code.lower(),
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
