"""Loading with dlt: Arrow from landing or from the state into the warehouse, cursors beside the rows.

Belongs here: everything that knows dlt. One pipeline per connection; the cursor travels in the pipeline's
state, which dlt commits with the rows, so that it never runs ahead of them.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from contracts.arrow import schema_of
from contracts.base import Envelope
from contracts.resources import resource
from core.settings import Settings
from core.warehouse import open_warehouse, writer_lock
from ingestion.landing import Batch
from ingestion.withdrawn import read

if TYPE_CHECKING:
    import dlt
    from dlt.common.pipeline import LoadInfo

KEY = ["source_system", "source_id", "source_version"]
_CURSORS = "cursors"
_MERGE: Any = {"disposition": "merge", "strategy": "delete-insert"}
_SETTINGS: dict[str, Any] = {
    "runtime.dlthub_telemetry": False,
    "runtime.log_level": "CRITICAL",
    "normalize.parquet_normalizer.add_dlt_load_id": True,
    "normalize.parquet_normalizer.add_dlt_id": True,
    "normalize.workers": 1,
    "load.workers": 1,
    "extract.workers": 1,
}


class Loader:
    """One connection's pipeline, opened once for a reading: where its streams stand, and the load at its end.

    What a partner sends by itself has a pipeline of its own: a reading may go on meanwhile.
    """

    def __init__(self, settings: Settings, connection: str, kind: str, *, is_inbox: bool = False) -> None:
        self._settings, self._connection, self._kind = settings, connection, kind
        self._is_inbox = is_inbox
        self._dataset = f"raw_{kind}"
        name = f"inbox_{connection}_{kind}" if is_inbox else connection
        # By its schema's name it is told which loads were made of messages.
        self._schema = f"inbox_{self._dataset}" if is_inbox else self._dataset
        self._pipeline = pipeline_of(settings, name, self._dataset)

    def cursors(self) -> dict[str, str]:
        """Where each stream stands, after finishing a load that a crash interrupted."""
        with writer_lock(self._settings, f"cursors of {self._connection}"):
            finished = _finish_pending(self._pipeline)
            if not self._settings.warehouse.exists():
                return {}
            self._pipeline.sync_destination()
        self._put_into_the_file([finished])
        state = self._pipeline.state.get("sources", {}).get(self._schema, {})
        return dict(state.get(_CURSORS, {}))

    def load(self, batches: Sequence[Batch]) -> None:
        """Merge landed batches into ``raw_<kind>`` and move the cursors to where they lead."""
        by_resource: defaultdict[str, list[Batch]] = defaultdict(list)
        for each in batches:
            by_resource[each.resource].append(each)
        if not batches and not self._pipeline.has_pending_data:
            return
        with writer_lock(self._settings, f"load {self._connection}"):
            loads = [_finish_pending(self._pipeline)]
            if batches:
                source = _source(self._schema, self._kind, by_resource)
                loads.append(self._pipeline.run(source, loader_file_format="parquet"))
        self._put_into_the_file(loads)

    def _put_into_the_file(self, loads: Iterable[LoadInfo | None]) -> None:
        """A load of messages that changed no table stays in the log: the worker puts it into the file when nothing waits."""
        done = [each for each in loads if each is not None]
        if any(not self._is_inbox or _has_changed_a_table(each) for each in done):
            checkpoint(self._settings, f"load {self._connection}")

    def abandon(self) -> None:
        """Forget a load that did not come to its end, for good: what it holds is somewhere else and is read again."""
        if self._pipeline.has_pending_data:
            with writer_lock(self._settings, f"abandon a load of {self._connection}"):
                self._pipeline.abort_packages()

    def rehearse(self, resources: Iterable[str]) -> None:
        """Load no rows into these tables: does it go well, it is the rows that could not be loaded."""
        import dlt

        empty = [
            dlt.resource(
                iter([schema_of(Envelope, resource(self._kind, name).contract).empty_table()]),
                name=name, write_disposition=_MERGE, primary_key=KEY,
            )
            for name in resources
        ]  # fmt: skip
        with writer_lock(self._settings, f"rehearse {self._connection}"):
            self._pipeline.run(dlt.source(lambda: empty, name=self._schema)(), loader_file_format="parquet")


def replace_tables(settings: Settings, dataset: str, tables: Mapping[str, pa.Table]) -> None:
    """Replace whole tables of a dataset: a projection of something that is kept elsewhere."""
    import dlt

    pipeline = pipeline_of(settings, dataset, dataset)
    resources = [
        dlt.resource(iter([table]), name=name, write_disposition="replace") for name, table in tables.items()
    ]
    with writer_lock(settings, f"load {dataset}"):
        _finish_pending(pipeline)
        pipeline.run(dlt.source(lambda: resources, name=dataset)(), loader_file_format="parquet")
    checkpoint(settings, f"load {dataset}")


def pipeline_of(settings: Settings, name: str, dataset: str) -> dlt.Pipeline:
    """The pipeline of this name, its working directory in the home and kept for ever."""
    _configure(settings)
    import dlt

    return dlt.pipeline(
        pipeline_name=name,
        destination=_asked_once(dlt.destinations.duckdb(str(settings.warehouse))),
        dataset_name=dataset,
        pipelines_dir=str(settings.dlt_dir),
    )


def _asked_once(destination: Any) -> Any:
    """The same, but that it looks up once what it is able to do: dlt asks a dozen times in one load, and each time the
    answer is looked for in the environment and in files."""
    anew = destination.configuration
    found: list[Any] = []

    def configuration(initial: Any, accept_partial: bool = False) -> Any:
        if not accept_partial:
            return anew(initial)
        if not found:
            found.append(anew(initial, accept_partial=True))
        return found[0]

    destination.configuration = configuration
    return destination


def checkpoint(settings: Settings, holder: str) -> None:
    """Write the log into the file: DuckDB may not read back a log that holds DDL after a hard exit."""
    with open_warehouse(settings, holder) as warehouse:
        warehouse.execute("CHECKPOINT")


def _source(schema: str, kind: str, by_resource: Mapping[str, Sequence[Batch]]) -> Any:
    import dlt

    def rows(batches: Sequence[Batch]) -> Iterator[pa.Table]:
        state = dlt.current.source_state().setdefault(_CURSORS, {})
        for batch in batches:
            yield read(batch)
            if batch.cursor is not None:
                state[batch.stream] = batch.cursor

    return dlt.source(
        lambda: [
            dlt.resource(
                rows,
                name=resource(kind, name).name,
                write_disposition=_MERGE,
                primary_key=KEY,
            )(batches)
            for name, batches in by_resource.items()
        ],
        name=schema,
    )()


def _finish_pending(pipeline: dlt.Pipeline) -> LoadInfo | None:
    """Load what a crash left behind: dlt would load it first and then do nothing else."""
    return pipeline.run() if pipeline.has_pending_data else None


def _has_changed_a_table(load: LoadInfo) -> bool:
    return any(each.schema_update for each in load.load_packages)


def _configure(settings: Settings) -> None:
    """dlt's own settings: nothing is sent anywhere, nothing is written outside the home."""
    import dlt

    settings.dlt_dir.mkdir(parents=True, exist_ok=True)
    for key, value in _SETTINGS.items():
        dlt.config[key] = value
    logging.getLogger("dlt").setLevel(logging.CRITICAL)
