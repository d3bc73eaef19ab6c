"""`make docs` writes dbt's documentation as one page that opens offline and says what the tables are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from orchestration.dbt_docs import write_site

Document = dict[str, Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    written = write_site(settings)
    assert not settings.warehouse.exists(), "it only writes about the warehouse"
    return written


@pytest.fixture(scope="module")
def manifest(site: Path) -> Document:
    """What the page carries in itself: dbt puts the manifest where the page would ask a server for it."""
    text = site.read_text(encoding="utf-8")
    at = re.search(r"{manifest:(?={)", text)
    assert at, "the page would ask a server for its manifest"
    found: Document = json.JSONDecoder().raw_decode(text, at.end())[0]
    return found


def fetched(page: str) -> list[str]:
    """What a browser would ask others for as soon as the page opens."""
    return re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?((?:https?:)?//[^\"'\s>]+)", page)


def test_the_page_has_every_model_exposure_and_our_own_front_page(manifest: Document) -> None:
    assert {"model.waybill.fct_shipments.v1", "model.waybill.kpi_values.v1"} <= set(manifest["nodes"])
    assert manifest["exposures"]
    assert (
        "From the lorry's proof of delivery" in manifest["docs"]["doc.waybill.__overview__"]["block_contents"]
    )


def test_the_front_page_links_to_what_exists(manifest: Document) -> None:
    text = manifest["docs"]["doc.waybill.__overview__"]["block_contents"]
    linked = re.findall(r"\(#!/model/([^)]+)\)", text)
    assert linked
    assert set(linked) <= set(manifest["nodes"])


def test_opening_it_fetches_nothing(site: Path) -> None:
    assert fetched(site.read_text(encoding="utf-8")) == []


def test_what_counts_as_fetching() -> None:
    assert fetched('<script src="https://cdn.example/a.js"></script>') == ["https://cdn.example/a.js"]
    assert fetched('<link rel="x" href="//cdn.example/a.css">') == ["//cdn.example/a.css"]
    assert fetched('<a href="https://example.org">read more</a> <img src="data:image/png;base64,AA">') == []
