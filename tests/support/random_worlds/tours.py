"""What dispatch says of the lorries in ``tracks``: where the places are, which trips they made, what was planned there.

One lorry drives three trips, another got the unit of a third one that stood beside it, and the dispatch of another company has a lorry of the
same number. Has dice of its own, so that the rest of the world stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from tests.support.random_worlds.tracks import SPOTS, Track, plant_track
from tests.support.random_worlds.world import RandomWorld, by_now, version

OTHER = "dispatch-2"
SECOND = "telematics-2"
"""Hears some of the units too."""


def plant_tours(world: RandomWorld, seed: int) -> None:
    dice = Random(f"{seed}/{world.name}/tours")
    name = world.name
    main = plant_track(world, dice, f"{name}-U4", timedelta(seconds=dice.randint(1800, 14_400)))
    plant_track(world, dice, f"{name}-U4", timedelta(seconds=dice.randint(0, 108_000)), SECOND)
    plant_track(world, dice, f"{name}-U5", timedelta(hours=40))
    other = plant_track(world, dice, f"{name}-U6", timedelta(seconds=dice.randint(0, 21_600)))
    plant_track(world, dice, f"{name}-U7", timedelta(seconds=dice.randint(1800, 14_400)))
    _plant_places(world, main, "dispatch", "X", world.zone)
    _plant_places(world, main, OTHER, "Y", world.other_zone)
    _vehicle(world, "V4", "U4", "dispatch")
    _vehicle(world, "V4", "U7", OTHER)
    _vehicle(world, "V5", "U5", "dispatch", 1)
    _vehicle(world, "V6", "U6", "dispatch", 1)
    _vehicle(world, "V6", None, "dispatch", 2)
    world.add(
        "dispatch",
        "trips",
        trip_id=f"{name}-XT-V6",
        status="requested",
        vehicle_id=f"{name}-V6",
        depot_id=f"{name}-X0",
    )
    _vehicle(world, "V5", "U6", "dispatch", 2)
    _plant_trips(world, dice, main, "V4", "dispatch", "X")
    _plant_trips(world, dice, other, "V5", "dispatch", "X")
    _plant_trips(world, dice, main, "V4", OTHER, "Y")


def _plant_places(world: RandomWorld, track: Track, kind: str, letter: str, zone: str) -> None:
    """Two of them are nowhere: one without coordinates, one at 0/0."""
    here, spots = Track(track.dice, track.base, track.moment), dict(SPOTS)
    for name, spot in spots.items():
        here.here = (spot[0] + (40 if letter == "Y" else 0), spot[1])
        _place(world, kind, f"{world.name}-{letter}{name[1:]}", zone, *here.degrees())
    _place(world, kind, f"{world.name}-{letter}8", zone, None, 10.0)
    _place(world, kind, f"{world.name}-{letter}9", zone, 0.0, 0.0)


def _place(
    world: RandomWorld, kind: str, location_id: str, zone: str, latitude: float | None, longitude: float
) -> None:
    world.add("dispatch", "locations", source_system=world.connection(kind), location_id=location_id, name=location_id,
              kind="depot" if location_id.endswith("0") else "customer", time_zone=zone, latitude=latitude,
              longitude=longitude, region="South")  # fmt: skip


def _vehicle(world: RandomWorld, vehicle: str, unit: str | None, kind: str, at_version: int = 1) -> None:
    world.add("dispatch", "vehicles", source_system=world.connection(kind), vehicle_id=f"{world.name}-{vehicle}",
              device_id=f"{world.name}-{unit}" if unit else None, capacity_kg=None, in_service_from=None, in_service_until=None,
              source_version=version(at_version))  # fmt: skip


def _plant_trips(
    world: RandomWorld, dice: Random, track: Track, vehicle: str, kind: str, letter: str
) -> None:
    """One along a route, one straight from stop to stop, one that begins before that is over; most from one depot."""
    moments = [fix["positioned_at"] for fix in track.fixes] or [track.moment]
    for number, (share, depot) in enumerate(((0.02, 0), (0.35, 0), (0.75, 1)), start=1):
        departed = moments[int(share * (len(moments) - 1))] + timedelta(seconds=dice.choice((0, 7)))
        trip = f"{world.name}-{letter}T{number}-{vehicle}"
        place = f"{world.name}-{letter}"

        def act(
            name: str, what: str, spot: int, begin: datetime, *, is_done: bool, wait: int = 600, nr: int = 0,
            trip: str = trip, place: str = place,
        ) -> None:  # fmt: skip
            end, is_over = begin + timedelta(seconds=wait), is_done and by_now(begin)
            world.add("dispatch", "actions", source_system=world.connection(kind), action_id=f"{trip}-{name}",
                      action_type=what, lifecycle="realized" if is_over else "planned", sequence_nr=nr,
                      result_status="succeeded" if is_over else None, trip_id=trip, consignment_id=None,
                      location_id=f"{place}{spot}",
                      stop_id=None if what == "load" else f"{trip}-{spot}-{nr}",
                      start_at=begin if is_over else None, end_at=by_now(end) if is_over else None,
                      planned_start_at=begin + timedelta(minutes=dice.choice((-20, 0, 45))) if dice.random() < 0.8 else None,
                      planned_end_at=end if dice.random() < 0.8 else None,
                      free_time_s=dice.choice((None, 0, 600)))  # fmt: skip

        world.add("dispatch", "trips", source_system=world.connection(kind), trip_id=trip, status="inTransit",
                  vehicle_id=f"{world.name}-{vehicle}", depot_id=f"{place}{depot}")  # fmt: skip
        act("load", "load", 0, departed - timedelta(seconds=600), is_done=True)
        _plant_stops(dice, track, departed, act, is_exact=number == 1)
        if number == 1:
            _plant_route(world, track, kind, trip)


def _plant_stops(
    dice: Random, track: Track, departed: datetime, act: Callable[..., None], *, is_exact: bool
) -> None:
    """At times near what the unit saw, four hours away to the second, or just beyond; some twice, some never."""
    after = [(name, began) for name, began, _ in track.stays if began >= departed][:4]
    for nr, (name, began) in enumerate(after, start=1):
        seen = next(fix["positioned_at"] for fix in track.fixes if fix["positioned_at"] >= began)
        away = dice.choice((0, 14_400, 14_401, -14_400, -14_401)) if is_exact else dice.randint(-9_000, 9_000)
        is_done = dice.random() < 0.75
        spot, when = int(name[1:]), seen + timedelta(seconds=away)
        act(f"stop-{nr}", "stop", spot, when, is_done=is_done, nr=nr)
        if dice.random() < 0.7:
            act(
                f"hand-{nr}", "handOver", spot, when + timedelta(seconds=60), is_done=is_done, wait=300, nr=nr
            )
        if dice.random() < 0.2:
            act(f"again-{nr}", "stop", spot, when + timedelta(seconds=1861), is_done=is_done, nr=nr + 10)
    act("nowhere", "stop", 8, departed + timedelta(hours=1), is_done=False, nr=9)


def _plant_route(world: RandomWorld, track: Track, kind: str, trip: str) -> None:
    here = Track(track.dice, track.base, track.moment)
    for number, spot in enumerate(((0, 0), (3_000, 4_500), SPOTS["X1"], SPOTS["X2"], SPOTS["X3"], (0, 0))):
        here.here = spot
        latitude, longitude = here.degrees()
        world.add("dispatch", "route_points", source_system=world.connection(kind), route_id=f"{trip}-R",
                  trip_id=trip, sequence_nr=number * 10, latitude=latitude, longitude=longitude)  # fmt: skip
