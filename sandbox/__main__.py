"""``python -m sandbox --home DIR``: build the world if absent, run its servers until told to stop.

One JSON line on stdout when all answer; everything else goes to stderr. Exit 0 on SIGTERM, SIGINT, SIGHUP.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import datetime
from pathlib import Path

from sandbox import clock as world_clock
from sandbox.servers import store
from sandbox.servers.supervisor import Children, SandboxError, build_apart, hold_signals, listen


def main() -> int:
    """Run until stopped; 1 = something a person can mend, told on stderr."""
    # Before the long part: whoever started us may be gone when the world is built.
    parent = os.getppid()
    given = _arguments()
    home: Path = given.home.resolve()
    try:
        listeners = listen(given.base_port)
        hold_signals()
        path = store.world_file(home)
        if not path.exists() and not build_apart(_build, home, given.seed, given.orders):
            return 0
        meta = store.prepare(path)
        _same_world(meta, given.seed, given.orders, path)
        world_now = datetime.fromisoformat(meta["now"])
        file = path.with_name("clock.json")
        clock = world_clock.start(world_now, file, given.speed)
        world_clock.keep(clock, world_now, file, running=True)
        with Children(listeners, path, clock) as children:
            children.wait_until_answering()
            world_clock.keep(clock, world_now, file, running=True)
            _announce(home, children, clock, meta)

            def every() -> bool:
                world_clock.keep(clock, world_now, file, running=True)
                return not given.with_parent or os.getppid() == parent

            children.watch(every)
        world_clock.keep(clock, world_now, file, running=False)
    except SandboxError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder that gets sandbox/")
    parser.add_argument("--seed", type=int, default=7, help="which world (default 7)")
    parser.add_argument("--orders", type=int, default=2000, help="size of the world (default 2000)")
    parser.add_argument("--base-port", type=int, default=8700, help="first of seven ports; 0 = free ones")
    parser.add_argument("--speed", type=float, default=1.0, help="world seconds per second (default 1)")
    parser.add_argument("--with-parent", action="store_true", help="end when the starting process ends")
    given = parser.parse_args()
    if given.speed <= 0 or given.orders < 1 or given.base_port < 0:
        parser.error("--speed is above 0, --orders at least 1, --base-port at least 0")
    return given


def _build(home: Path, seed: int, orders: int) -> None:
    from sandbox.world import build

    sys.stderr.write(f"sandbox: building a world of {orders} orders (seed {seed})\n")
    sys.stderr.flush()
    build(home, seed, orders)


def _same_world(meta: dict[str, str], seed: int, orders: int, path: Path) -> None:
    """A world is not rebuilt under documents that were posted into it."""
    found = (meta.get("seed"), meta.get("orders"))
    if found != (str(seed), str(orders)):
        raise SandboxError(
            f"{path.parent} holds a world of seed {found[0]} and {found[1]} orders, not of seed {seed} and "
            f"{orders} orders. Remedy: use those numbers, or another --home."
        )


def _announce(home: Path, children: Children, clock: world_clock.WorldClock, meta: dict[str, str]) -> None:
    """Write endpoints.json and the one line on stdout: URLs, pids, the world's now, go-live, truth and files."""
    document = {
        **children.urls,
        "pids": children.pids,
        "go_live_at": meta["go_live"],
        "now": world_clock.instant(clock.now()),
        "truth": str(home / "sandbox" / "truth.json"),
        "drop": str(home / "sandbox" / "drop"),
    }
    file = home / "sandbox" / "endpoints.json"
    draft = file.with_suffix(".tmp")
    draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    draft.replace(file)
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
