"""A folder with files and one connection file that maps them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.connections import load_connections
from ingestion.files.extract import Extract
from ingestion.files.rows import Mapped

HEAD = """\
connection: acme_orders
kind: {kind}
adapter: files
owner: order-systems
time_zone: Europe/Berlin
options:
  folder: {folder}
"""

Read = Callable[..., list[Mapped]]


@pytest.fixture
def write_mapping(tmp_path: Path) -> Callable[..., Extract]:
    """``(options, kind, **files)`` → the extract; options are YAML indented by two blanks."""

    def make(options: str, kind: str = "erp", head: str = HEAD, **files: str | bytes) -> Extract:
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        for name, content in files.items():
            body = content if isinstance(content, bytes) else content.encode()
            (data / name.replace("__", ".")).write_bytes(body)
        folder = tmp_path / "connections"
        folder.mkdir(exist_ok=True)
        (folder / "acme.yaml").write_text(head.format(kind=kind, folder=data) + options, encoding="utf-8")
        return Extract(load_connections(folder)[0])

    return make


@pytest.fixture
def read(write_mapping: Callable[..., Extract]) -> Read:
    """``(options, kind, **files)`` → every mapped row of every resource, in order."""

    def rows(options: str, kind: str = "erp", **files: str | bytes) -> list[Mapped]:
        extract = write_mapping(options, kind, **files)
        return [row for resource in extract.resources() for row in extract.rows(resource)]

    return rows
