"""What lorries' units sent: positions with silences, across midnights and changed clocks, and messages without one."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.random_worlds.world import AS_OF, RandomWorld, by_now, midnight

FIXES = 160


def plant_signals(world: RandomWorld) -> None:
    """Of two lorries and of a unit that nobody knows; the third lorry is silent."""
    for number in (1, 2, 9):
        moment = midnight(world.day, world.zone) - world.hours(2, 30)
        latitude, longitude = world.latitude, 10.0
        has_ignition = world.chance(0.5)
        for _ in range(FIXES if number < 9 else 12):
            if moment > AS_OF:
                break
            rolls = world.chance(0.6)
            latitude += world.pick(-0.01, 0.01, 0.002) if rolls else 0.0
            longitude += world.pick(-0.01, 0.01) if rolls else 0.0
            world.add("telematics", "positions", device_id=f"{world.name}-U{number}", positioned_at=moment,
                      received_at=moment + timedelta(seconds=world.pick(1, 5, 400)), latitude=latitude,
                      longitude=longitude, ignition=rolls if has_ignition and world.chance(0.9) else None,
                      quality=world.pick("ok", "ok", "ok", "ok", "ok", "ok", "jump"))  # fmt: skip
            moment += timedelta(seconds=world.pick(120, 300, 300, 600, 900, 901, 2400))
        _say(world, f"{world.name}-U{number}", moment + timedelta(days=1))


def _say(world: RandomWorld, device: str, moment: datetime) -> None:
    if by_now(moment):
        world.add("telematics", "vehicle_events", device_id=device, event_type="harshBrake", occurred_at=moment,
                  received_at=moment)  # fmt: skip
