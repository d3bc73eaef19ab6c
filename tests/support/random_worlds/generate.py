"""All the worlds of one seed, and one warehouse with their raw rows."""

from __future__ import annotations

from pathlib import Path

from tests.support.random_worlds.billing import plant_billing
from tests.support.random_worlds.exchange import plant_exchange, unsettle
from tests.support.random_worlds.masters import plant_masters
from tests.support.random_worlds.ordering import plant_order
from tests.support.random_worlds.proofs import plant_proof
from tests.support.random_worlds.roads import plant_charges, plant_lorries, plant_trips
from tests.support.random_worlds.signals import plant_signals
from tests.support.random_worlds.tours import plant_tours
from tests.support.random_worlds.transport import plant_movements
from tests.support.random_worlds.troubles import plant_troubles
from tests.support.random_worlds.world import RandomWorld, Row, merged
from tests.support.warehouse import append, create_raw_tables, insert_rows

WORLDS = 24
ORDERS = 18
_NUMBERED = {
    "decisions": "sequence",
    "outbox": "outbox_id",
    "push_attempts": "attempt_id",
    "observations": "observation_id",
    "entries": "sequence",
}


def generate(seed: int, worlds: int = WORLDS, orders: int = ORDERS) -> list[RandomWorld]:
    """Equal seeds give equal worlds."""
    return [_world(number, seed, orders) for number in range(worlds)]


def _world(number: int, seed: int, orders: int) -> RandomWorld:
    world = RandomWorld(number, seed)
    plant_masters(world)
    for each in range(1, orders + 1):
        order, lines = plant_order(world, each)
        moves = plant_movements(world, order, lines)
        told = [(move, plant_proof(world, move)) for move in moves]
        for move in moves:
            plant_troubles(world, move)
        plant_billing(world, order, [(move, proof) for move, proof in told if proof])
    plant_lorries(world)
    plant_trips(world)
    plant_charges(world)
    plant_signals(world)
    plant_exchange(world)
    unsettle(world)
    plant_tours(world, seed)
    return world


def raw_rows(worlds: list[RandomWorld]) -> dict[tuple[str, str], list[Row]]:
    """The rows of all worlds, by kind and resource; what the state store counts is counted."""
    rows = merged(worlds)
    for (_, resource), found in rows.items():
        if resource in _NUMBERED:
            found[:] = [row | {_NUMBERED[resource]: number} for number, row in enumerate(found, start=1)]
    return rows


def write(path: Path, rows: dict[tuple[str, str], list[Row]]) -> None:
    """A new warehouse with these raw rows."""
    create_raw_tables(path)
    for (kind, resource), found in rows.items():
        if kind in {"gate", "ledger"}:
            append(path, f"raw_{kind}", resource, found)
        else:
            insert_rows(path, kind, resource, found)
