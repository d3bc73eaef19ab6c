"""``python -m sandbox.world --home DIR --seed 7 --orders 2000`` builds the world and ends."""

import argparse
from pathlib import Path

from sandbox.world import build

parser = argparse.ArgumentParser(prog="python -m sandbox.world", description=__doc__)
parser.add_argument("--home", type=Path, required=True)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--orders", type=int, default=2000)
given = parser.parse_args()
build(given.home, given.seed, given.orders)
