"""``python -m ingestion CONNECTION``: read one connection alone, and log what became of its rows."""

from __future__ import annotations

import argparse
import json
import logging
import sys

from core.connections import load_connections
from core.errors import ConfigurationError, WaybillError
from core.ids import new_id
from core.settings import get_settings
from ingestion.run import ensure_warehouse, ingest
from state.engine import open_state


def main() -> int:
    """0 = read, 1 = the source failed, 2 = a setting is wrong; one JSON line per resource on stdout."""
    parser = argparse.ArgumentParser(prog="python -m ingestion", description=__doc__)
    parser.add_argument("connection", help="the name of a connection file, without .yaml")
    asked = parser.parse_args().connection
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    try:
        settings = get_settings()
        connections = {each.connection: each for each in load_connections(settings.connections_dir)}
        if asked not in connections:
            raise ConfigurationError(
                f"There is no connection {asked!r}.", remedy=f"Use one of {', '.join(connections)}."
            )
        engine = open_state(settings)
        ensure_warehouse(settings, engine)
        for counts in ingest(settings, engine, connections[asked], new_id("run")):
            sys.stdout.write(json.dumps(vars(counts)) + "\n")
    except WaybillError as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, ConfigurationError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
