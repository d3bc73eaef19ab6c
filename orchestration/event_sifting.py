"""Which messages, or rows that had waited, a batch cannot be built with: it is tried without some of them, by halves, in
transactions of which nothing stays.

Belongs here: finding them, and taking their rows out of the raw tables. What becomes of them is ``ingestion``'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ingestion.events.fates import Row
from orchestration.dbt_runner import NodeResult
from orchestration.event_statements import ModelFailed, Statements

if TYPE_CHECKING:
    import duckdb

_UNBUILT = """_dlt_load_id NOT IN (
    SELECT load_id FROM changes.built_loads WHERE dataset = $dataset
    UNION ALL SELECT load_id FROM changes_events.built_loads WHERE dataset = $dataset)"""


class Suspect(Protocol):
    """What was loaded and may be to blame: a message with its rows, or a row that had waited."""

    @property
    def name(self) -> str:
        """What no other suspect has."""

    @property
    def partner(self) -> str:
        """Whose rows they are."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """Those that its load put into the warehouse, or that were there."""


Trouble = Callable[[Sequence[Suspect]], ModelFailed | None]
"""What goes wrong when a batch is built with these suspects and no other."""


@dataclass(frozen=True)
class Guilty:
    """A suspect with whose rows a model fails; ``gone``: those that the warehouse has no more."""

    suspect: Suspect
    why: ModelFailed
    gone: tuple[Row, ...]


def sift(suspects: Sequence[Suspect], trouble: Trouble) -> list[tuple[Suspect, ModelFailed]]:
    """Those that it goes wrong with, each beside all that it goes well with. ModelFailed when it does so without any, too:
    nobody is to blame for that."""
    if (why := trouble([])) is not None:
        raise why
    good: list[Suspect] = []
    bad: list[tuple[Suspect, ModelFailed]] = []

    def look_at(some: Sequence[Suspect]) -> None:
        why = trouble([*good, *some])
        if why is None:
            good.extend(some)
        elif len(some) == 1:
            bad.append((some[0], why))
        else:
            middle = len(some) // 2
            look_at(some[:middle])
            look_at(some[middle:])

    look_at(suspects)
    return bad


def build_without_the_guilty(
    warehouse: duckdb.DuckDBPyConnection,
    statements: Statements,
    models: set[str],
    suspects: Sequence[Suspect],
) -> tuple[list[NodeResult], list[Guilty]]:
    """Build what can be built of a batch that failed; each model's result, and the suspects that were left out.

    ModelFailed when it is no suspect's fault.
    """

    def trouble(some: Sequence[Suspect]) -> ModelFailed | None:
        kept = {each.name for each in some}
        others = [each for each in suspects if each.name not in kept]
        try:
            statements.run(warehouse, models, lambda: _take_out(warehouse, others), is_trial=True)
        except ModelFailed as failed:
            return failed
        return None

    bad = sift(suspects, trouble) if suspects else []
    gone: set[tuple[str, Row]] = set()
    out = [suspect for suspect, _ in bad]
    results = statements.run(warehouse, models, lambda: gone.update(_take_out(warehouse, out)))
    return results, [Guilty(*each, _of(each[0], gone)) for each in [*bad, *_alike(suspects, bad, gone)]]


def _alike(
    suspects: Sequence[Suspect], bad: Sequence[tuple[Suspect, ModelFailed]], gone: set[tuple[str, Row]]
) -> list[tuple[Suspect, ModelFailed]]:
    """Suspects that say the same as a guilty one: what was taken out is theirs as well."""
    known = {each.name for each, _ in bad}
    others = [each for each in suspects if each.name not in known]
    return [(each, bad[0][1]) for each in others if _of(each, gone)]


def _of(suspect: Suspect, gone: set[tuple[str, Row]]) -> tuple[Row, ...]:
    names = {(partner, row.kind, row.resource, row.row_hash) for partner, row in gone}
    partner = suspect.partner
    return tuple(row for row in suspect.rows if (partner, row.kind, row.resource, row.row_hash) in names)


def _take_out(warehouse: duckdb.DuckDBPyConnection, suspects: Sequence[Suspect]) -> set[tuple[str, Row]]:
    """Delete the rows of suspects that nothing was built of; those that were there, with their partner."""
    by_table: defaultdict[tuple[str, str, str], dict[str, Row]] = defaultdict(dict)
    for each in suspects:
        for row in each.rows:
            by_table[each.partner, row.kind, row.resource][row.row_hash] = row
    gone: set[tuple[str, Row]] = set()
    for (partner, kind, resource), rows in by_table.items():
        deleted = warehouse.execute(
            f'DELETE FROM raw_{kind}."{resource}" WHERE source_system = $partner '
            f"AND row_hash IN (SELECT unnest($hashes)) AND {_UNBUILT} RETURNING row_hash",
            {"partner": partner, "hashes": list(rows), "dataset": f"raw_{kind}"},
        ).fetchall()
        gone |= {(partner, rows[row_hash]) for (row_hash,) in deleted}
    return gone
