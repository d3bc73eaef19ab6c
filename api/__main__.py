"""``python -m api --port 8600``: the API on this machine only."""

from __future__ import annotations

import argparse
import gc
import logging

import uvicorn

from api.app import create_app
from core.settings import get_settings

MOST_CONNECTIONS = 900
"""One more is answered 503 at once, without a document, before any of our code: a process may have some thousand files
open. Requests under way are ``crowd``'s."""


def main() -> None:
    """Serve on loopback until interrupted."""
    parser = argparse.ArgumentParser(prog="api", description=__doc__)
    parser.add_argument("--port", type=int, default=8600)
    port = parser.parse_args().port
    # Of others' loggers what is wrong alone: they may tell addresses and queries.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("waybill").setLevel(logging.INFO)
    app = create_app(get_settings())
    # What is there for good need not be looked through again and again while somebody waits.
    gc.freeze()
    uvicorn.run(
        app, host="127.0.0.1", port=port, log_level="warning", limit_concurrency=MOST_CONNECTIONS,
        # The proxy's word on where a request comes from is not believed, and Waybill's name is nobody's business.
        proxy_headers=False, server_header=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
