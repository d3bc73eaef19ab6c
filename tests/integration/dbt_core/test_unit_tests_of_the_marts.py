"""Every edge of a metric has a dbt unit test beside its model; here they run, over models without rows."""

from pathlib import Path

from tests.integration.dbt_core.conftest import AS_OF
from tests.support.warehouse import run_dbt

LEAST = 25


def test_each_of_them_passes(empty_marts: Path) -> None:
    published = ("test_type:unit,tag:outbound", "test_type:unit,tag:after_push")
    result = run_dbt(empty_marts, "test", "--select", *published, as_of=AS_OF)
    assert result.success, [(each.node.name, each.message) for each in result.result.results]
    assert len(result.result.results) >= LEAST
