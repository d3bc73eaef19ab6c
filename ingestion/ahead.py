"""Reading one page ahead: the source is asked for the next page while the one before is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from ingestion.base import Page


def one_ahead(pages: Iterator[Page]) -> Iterator[Page]:
    """The same pages in the same order; a failure is raised in its place, after the pages before it."""
    worker = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    try:
        coming = worker.submit(next, pages, None)
        while (page := coming.result()) is not None:
            coming = worker.submit(next, pages, None)
            yield page
    finally:
        # Not waited for: closing the adapter ends a request that nobody needs any more.
        worker.shutdown(wait=False, cancel_futures=True)
