"""Loading with dlt: Arrow from landing or from the state into the warehouse, cursors beside the rows.

Belongs here: everything that knows dlt. One pipeline per connection; the cursor travels in the pipeline's
state, which dlt commits with the rows, so that it never runs ahead of them.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from contracts.resources import resource
from core.settings import Settings
from core.warehouse import open_warehouse, writer_lock
from ingestion.landing import Batch, read

if TYPE_CHECKING:
    import dlt

KEY = ["source_system", "source_id", "source_version"]
_CURSORS = "cursors"


def load_batches(settings: Settings, connection: str, kind: str, batches: Sequence[Batch]) -> None:
    """Merge landed batches into ``raw_<kind>`` and move the cursors to where they lead."""
    by_resource: defaultdict[str, list[Batch]] = defaultdict(list)
    for each in batches:
        by_resource[each.resource].append(each)
    pipeline = pipeline_of(settings, connection, f"raw_{kind}")
    with writer_lock(settings, f"load {connection}"):
        _finish_pending(pipeline)
        if batches:
            pipeline.run(_source(f"raw_{kind}", kind, by_resource), loader_file_format="parquet")
    checkpoint(settings, f"load {connection}")


def cursors(settings: Settings, connection: str, kind: str) -> dict[str, str]:
    """Where each stream of a connection stands, after finishing a load that a crash interrupted."""
    pipeline = pipeline_of(settings, connection, f"raw_{kind}")
    with writer_lock(settings, f"cursors of {connection}"):
        _finish_pending(pipeline)
        if not settings.warehouse.exists():
            return {}
        pipeline.sync_destination()
    state = pipeline.state.get("sources", {}).get(f"raw_{kind}", {})
    return dict(state.get(_CURSORS, {}))


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
        destination=dlt.destinations.duckdb(str(settings.warehouse)),
        dataset_name=dataset,
        pipelines_dir=str(settings.dlt_dir),
    )


def checkpoint(settings: Settings, holder: str) -> None:
    """Write the log into the file: DuckDB may not read back a log that holds DDL after a hard exit."""
    with open_warehouse(settings, holder) as warehouse:
        warehouse.execute("CHECKPOINT")


def _source(dataset: str, kind: str, by_resource: Mapping[str, Sequence[Batch]]) -> Any:
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
                write_disposition={"disposition": "merge", "strategy": "delete-insert"},
                primary_key=KEY,
            )(batches)
            for name, batches in by_resource.items()
        ],
        name=dataset,
    )()


def _finish_pending(pipeline: dlt.Pipeline) -> None:
    """Load what a crash left behind: dlt would load it first and then do nothing else."""
    if pipeline.has_pending_data:
        pipeline.run()


def _configure(settings: Settings) -> None:
    """dlt's own settings: nothing is sent anywhere, nothing is written outside the home."""
    settings.dlt_dir.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        {
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "CRITICAL",
            "DLT_DATA_DIR": str(settings.dlt_dir),
            "DLT_PROJECT_DIR": str(settings.dlt_dir),
            "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
            "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_ID": "true",
            "NORMALIZE__WORKERS": "1",
            "LOAD__WORKERS": "1",
            "EXTRACT__WORKERS": "1",
        }
    )
    logging.getLogger("dlt").setLevel(logging.CRITICAL)
