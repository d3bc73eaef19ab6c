"""What the worker builds with dbt: the models between what partners send and what leaves, touched rows alone.

Belongs here: choosing models, building them, and remembering which loads are done with. A batch goes on from the last
complete build, as a scheduled run does (``dbt_builds``), and leaves what that run goes on from as it is: the next
scheduled run builds the same loads again, with everything that hangs on them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.errors import ConfigurationError, WaybillError
from core.flows import FLOWS
from core.warehouse import open_warehouse
from orchestration.dbt_assets import run_variables
from orchestration.dbt_runner import NodeResult, build_events, parse
from orchestration.event_sifting import Guilty, Suspect, build_without_the_guilty
from orchestration.event_statements import ModelFailed, Statements
from orchestration.platform import Platform

if TYPE_CHECKING:
    import duckdb
    from dbt.contracts.graph.manifest import Manifest

OUTBOUND = "outbound_events"
"""The schema of what a batch may send."""
_CHANGES = ("new_loads", "links", "touched")
_ALSO_TOUCHED = """
    INSERT INTO changes.touched (node)
    SELECT node FROM changes_events.touched EXCEPT SELECT node FROM changes.touched
"""
"""A scheduled run that stands between two of its parts replaces the rows of a shipment by what it finds of things that it knows
to be touched. A proof that came since it chose them would not be among these, and the shipment would be without it again."""


@dataclass(frozen=True)
class Built:
    """What a build gave. By its instant the candidates of this batch are told from all others."""

    as_of: datetime
    models: list[NodeResult]
    guilty: list[Guilty]


class EventProject:
    """The dbt project as the worker builds it, parsed and compiled once. ConfigurationError when there is no build to go
    on from."""

    def __init__(self, platform: Platform) -> None:
        self._platform, self._settings = platform, platform.settings
        self._definitions: str | None = None
        self._definitions = self._variables()["definitions"]
        self._statements: Statements | None = None
        self._is_done = False

    def prepare(self) -> None:
        """The views that batches read through, and the place where done loads are remembered."""
        with open_warehouse(self._settings, "prepare for events") as warehouse:
            warehouse.execute("CREATE SCHEMA IF NOT EXISTS changes_events")
            warehouse.execute(
                "CREATE TABLE IF NOT EXISTS changes_events.built_loads (dataset VARCHAR, load_id VARCHAR)"
            )
            warehouse.execute("CREATE OR REPLACE TABLE changes_events.batch (as_of TIMESTAMPTZ)")
            warehouse.execute(
                "CREATE OR REPLACE TABLE changes_events.held_loads (dataset VARCHAR, load_id VARCHAR)"
            )
            _refuse(build_events(self._settings, [*_CHANGES, *self._views], self._variables()))
            warehouse.execute("CHECKPOINT")

    def concerns(self, datasets: Collection[str]) -> bool:
        """Whether anything on the way to an invoice follows from these datasets; the others wait for a complete build."""
        return any(self._by_dataset.get(each) for each in datasets)

    def build(self, datasets: Collection[str] | None, suspects: Sequence[Suspect] = ()) -> Built:
        """Build what loads into these datasets touch, or into any; ``suspects`` are what was loaded.

        One with whose rows a model fails is left out, and its rows are taken out. WaybillError when a model failed for
        another reason.
        """
        variables = self._variables()
        as_of = datetime.fromisoformat(variables["as_of"])
        models = {*_CHANGES, *self._of(datasets or self._by_dataset)}
        with open_warehouse(self._settings, "build a batch of events") as warehouse:
            if self._is_done:
                self._note_done(warehouse)
            warehouse.execute("DELETE FROM changes_events.batch")
            warehouse.execute("INSERT INTO changes_events.batch VALUES (?)", [as_of])
            if self._statements is None:
                built = Built(as_of, *self._compiled(warehouse, models, variables, suspects))
                warehouse.execute(_ALSO_TOUCHED)
                return built
            built = Built(as_of, *_run(warehouse, self._statements, models, suspects))
            warehouse.execute(_ALSO_TOUCHED)
            # What these leave in the log is rows alone, which DuckDB reads back. Closing the file would put them into
            # their places while an invoice waits; the next load does so.
            warehouse.execute("PRAGMA disable_checkpoint_on_shutdown")
        return built

    def _compiled(
        self,
        warehouse: duckdb.DuckDBPyConnection,
        models: set[str],
        variables: dict[str, Any],
        suspects: Sequence[Suspect],
    ) -> tuple[list[NodeResult], list[Guilty]]:
        """Build with dbt, for its statements; where it fails, without anything new, and then with the statements."""
        results = build_events(self._settings, sorted(models), variables)
        if not suspects or all(each.status == "success" for each in results):
            _refuse(results)
            self._statements = Statements(results)
            return results, []
        warehouse.execute("INSERT INTO changes_events.held_loads FROM changes_events.new_loads")
        try:
            empty = build_events(self._settings, sorted(models), variables)
        finally:
            warehouse.execute("DELETE FROM changes_events.held_loads")
        if any(each.status != "success" for each in empty):
            _refuse(results)  # it is nothing that was sent
        self._statements = Statements(empty)
        return _run(warehouse, self._statements, models, suspects)

    def _of(self, datasets: Iterable[str]) -> list[str]:
        """What follows from these datasets."""
        return sorted({name for each in datasets for name in self._by_dataset.get(each, ())})

    def is_done(self) -> None:
        """The loads of the last batch are done with. The next one writes it down, which has the warehouse open anyhow;
        a worker that ends before builds them once more in its first batch."""
        self._is_done = True

    def _note_done(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        """Remember the loads of the batch before, and forget those that complete builds have taken up since."""
        warehouse.execute(
            "INSERT INTO changes_events.built_loads SELECT dataset, load_id FROM changes_events.new_loads"
        )
        warehouse.execute(
            "DELETE FROM changes_events.built_loads WHERE (dataset, load_id) IN "
            "(SELECT (dataset, load_id) FROM changes.built_loads)"
        )
        self._is_done = False

    def _variables(self) -> dict[str, Any]:
        found: dict[str, Any] = run_variables(self._platform)
        if found["builds_on"] is None:
            raise ConfigurationError(
                "There is no complete build of these very models for events to go on from.",
                remedy="Run `waybill run`, then start the worker again.",
            )
        if self._definitions not in {None, found["definitions"]}:
            raise WaybillError(
                "The models are others than those that the worker has compiled.",
                remedy="Nothing: it begins anew by itself, with those that are there now.",
            )
        return found

    @cached_property
    def _manifest(self) -> Manifest:
        return parse(self._settings, event_path=True)

    @cached_property
    def _views(self) -> list[str]:
        """Everything that batches read through and that holds no rows, parents first."""
        nodes = self._manifest.nodes
        needed = _above(self._parents, {_id_of(nodes, flow.outbound) for flow in FLOWS})
        return sorted(nodes[each].name for each in needed if nodes[each].config.materialized == "view")

    @cached_property
    def _by_dataset(self) -> dict[str, frozenset[str]]:
        """Dataset → the models found by nodes whose rows follow from it, on the way to the candidates."""
        nodes, parents = self._manifest.nodes, self._parents
        wanted = _above(parents, {_id_of(nodes, flow.candidates) for flow in FLOWS})
        skipped = {_id_of(nodes, name) for name in _CHANGES}
        children: defaultdict[str, set[str]] = defaultdict(set)
        for node in wanted - skipped:
            for parent in parents[node]:
                children[parent].add(node)
        found: defaultdict[str, set[str]] = defaultdict(set)
        for unique_id, source in self._manifest.sources.items():
            found[source.schema].update(_above(children, {unique_id}) - {unique_id})
        return {
            dataset: frozenset(
                nodes[each].name for each in below if nodes[each].config.materialized == "incremental"
            )
            for dataset, below in found.items()
        }

    @cached_property
    def _parents(self) -> Mapping[str, Collection[str]]:
        return defaultdict(
            tuple,
            {
                unique_id: tuple(node.depends_on.nodes)
                for unique_id, node in self._manifest.nodes.items()
                if node.resource_type == "model"
            },
        )


def _run(
    warehouse: duckdb.DuckDBPyConnection,
    statements: Statements,
    models: set[str],
    suspects: Sequence[Suspect],
) -> tuple[list[NodeResult], list[Guilty]]:
    try:
        return statements.run(warehouse, models), []
    except ModelFailed:
        return build_without_the_guilty(warehouse, statements, models, suspects)


def _above(edges: Mapping[str, Collection[str]], start: set[str]) -> set[str]:
    """Everything that is reached over edges, the start with it; models and seeds, and sources where they begin."""
    found, left = set(start), list(start)
    while left:
        for each in edges.get(left.pop(), ()):
            if each not in found and not each.startswith(("source.", "seed.")):
                found.add(each)
                left.append(each)
    return found


def _id_of(nodes: Mapping[str, Any], name: str) -> str:
    return next(key for key, node in nodes.items() if node.resource_type == "model" and node.name == name)


def _refuse(results: Iterable[NodeResult]) -> None:
    bad = [each for each in results if each.status != "success"]
    if bad:
        first = bad[0]
        raise WaybillError(
            f"{len(bad)} models of a batch of events failed: {first.unique_id}: {first.message[:300]}",
            remedy="`waybill run` builds them all and says more; the events stay where they are.",
        )
