"""The daily reconciliation in Dagster: a difference is a failed check, not a failed step."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from activation.reconcile import Reconciliation
from core.settings import Settings
from orchestration.platform import PlatformResource
from orchestration.reconcile_assets import RECONCILED, reconcile_assets
from state.differences import Difference

DIFFERENCE = Difference(
    destination="erp", kind="extra", idempotency_key="k" * 64, erp_id="SINV-1", shipment_no=None,
    company="WBDE", currency="EUR", issue_date="2026-11-13", acknowledged_amount=None,
    found_amount=None, detail="posted there, under a key that the outbox does not know",
)  # fmt: skip


@pytest.mark.parametrize(
    ("open_ones", "passed"), [([], True), ([DIFFERENCE, replace(DIFFERENCE, erp_id="SINV-2")], False)]
)
def test_an_open_difference_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_ones: list[Difference], passed: bool
) -> None:
    found = Reconciliation("erp", None, open=open_ones, differences=[DIFFERENCE])
    monkeypatch.setattr("activation.reconcile.reconcile", lambda *_: [found])
    result = dg.materialize(
        [reconcile_assets()], resources={"platform": PlatformResource.of(Settings(home=tmp_path))}
    )
    (check,) = result.get_asset_check_evaluations()
    assert (check.asset_key, check.passed) == (RECONCILED, passed)
    (made,) = result.asset_materializations_for_node("reconcile")
    assert made.metadata["open"].value == len(open_ones)
