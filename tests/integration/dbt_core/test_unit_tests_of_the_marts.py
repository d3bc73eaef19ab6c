"""Every edge of a metric has a dbt unit test beside its model; here they run, over models without rows."""

from pathlib import Path

import pytest

from tests.integration.dbt_core.conftest import AS_OF
from tests.support.warehouse import create_raw_tables, run_dbt

LEAST = 25


@pytest.fixture(scope="module")
def empty_marts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("marts") / "warehouse.duckdb"
    create_raw_tables(path)
    assert run_dbt(path, "seed").success
    for tag in ("before_gate", "outbound", "after_push"):
        assert run_dbt(path, "run", "--empty", "--select", f"tag:{tag}").success
    return path


def test_each_of_them_passes(empty_marts: Path) -> None:
    result = run_dbt(empty_marts, "test", "--select", "test_type:unit,tag:after_push", as_of=AS_OF)
    assert result.success, [(each.node.name, each.message) for each in result.result.results]
    assert len(result.result.results) >= LEAST
