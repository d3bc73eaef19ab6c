"""What each decision of the gate was made on: kept beside it, in the same transaction, and found again by it.

Many decisions' inputs are one block: a line of JSON each, packed together, since of two candidates most is alike. A block is
named by the SHA-256 of its lines, and the ledger's chain holds that name.

Belongs here: keeping and finding lines. What stands in a line, and judging it again, is ``quality``'s.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import Connection, Engine, select

from core.ids import sha256_hex
from state import ledger
from state.engine import reading
from state.insert import insert_ignoring
from state.ledger import Event
from state.tables_of_decisions import gate_inputs as table

if TYPE_CHECKING:
    from state.decisions import Decision

EVENT: Final = "inputs_kept"
ACTOR: Final = "gate"
LINES: Final = 250
"""Decisions in one block: enough for what they share to weigh nothing, few enough to be unpacked for one of them."""
_MOST_BLOCKS = 500
"""Blocks asked for in one statement."""


class Inputs(Protocol):
    """What a batch was judged on."""

    def lines(self, decisions: Sequence[Decision]) -> Iterator[str]:
        """One line of JSON for each of the decisions, in their order; each names its decision as ``decision_id``."""
        ...


class Lost(Exception):
    """The inputs of a decision are not what was kept; the text says how."""


def keep(db: Connection, decisions: Sequence[Decision], inputs: Inputs) -> dict[str, str]:
    """Keep the inputs of decisions inside the caller's transaction; decision id → the block that holds them."""
    held: dict[str, str] = {}
    blocks, events = [], []
    lines, rest = inputs.lines(decisions), iter(decisions)
    while some := list(islice(rest, LINES)):
        content = "\n".join(islice(lines, len(some))).encode("utf-8", "surrogatepass")
        name = sha256_hex(content)
        blocks.append({"inputs_batch": name, "decision_count": len(some), "content": zlib.compress(content)})
        events.append(Event(EVENT, ACTOR, name, {"decisions": len(some), "run": some[0].run_id}))
        held |= dict.fromkeys((each.decision_id for each in some), name)
    insert_ignoring(db, table, blocks)
    ledger.append_all(db, events)
    return held


def find(engine: Engine, decisions: Iterable[Decision]) -> Iterator[tuple[Decision, str | Lost]]:
    """Each decision that kept inputs, with its line or with how that was lost; block by block."""
    of_block: dict[str, list[Decision]] = defaultdict(list)
    for each in decisions:
        if each.inputs_batch is not None:
            of_block[each.inputs_batch].append(each)
    with reading(engine) as db:
        told = set(ledger.subjects_of(db, EVENT))
    names = iter(of_block)
    while some := list(islice(names, _MOST_BLOCKS)):
        with reading(engine) as db:
            query = select(table.c.inputs_batch, table.c.content).where(table.c.inputs_batch.in_(some))
            packed = {row.inputs_batch: row.content for row in db.execute(query)}
        for name in some:
            lines = _lines(name, packed.get(name), name in told)
            for decision in of_block[name]:
                missing = Lost(f"its block of inputs {name[:12]} does not name it")
                yield decision, lines if isinstance(lines, Lost) else lines.get(decision.decision_id, missing)


def _lines(name: str, packed: bytes | None, is_told: bool) -> dict[str, str] | Lost:
    """Decision id → line of a block; Lost when it is gone, edited, or the ledger never heard of it."""
    if packed is None:
        return Lost(f"its block of inputs {name[:12]} is gone")
    try:
        content = zlib.decompress(packed)
    except zlib.error as error:
        return Lost(f"its block of inputs {name[:12]} cannot be unpacked ({error})")
    if sha256_hex(content) != name:
        return Lost(f"its block of inputs {name[:12]} was edited")
    if not is_told:
        return Lost(f"the ledger holds no word of its block of inputs {name[:12]}")
    text = content.decode("utf-8", "surrogatepass")
    return {json.loads(line)["decision_id"]: line for line in text.split("\n")}
