"""``waybill docs contracts``: what others may send, written beside the models as JSON Schema, AsyncAPI and OpenAPI.

Belongs here: writing the files, and keeping what a release promised. The documents are made by ``contracts.publishing`` and
by the API; what breaks a promise says ``contracts.compatibility``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import err
from core.errors import WaybillError
from core.settings import ROOT, get_settings

FOLDER = ROOT / "contracts"
RELEASED = FOLDER / "released.json"
"""Schemas, routes and channels as the last release had them: what is there now is held against it."""


def write_contracts(
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Write nothing; exit 1 when a file would differ or a promise is broken."
        ),
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Keep them as what the release promises from now on.")
    ] = False,
) -> None:
    """Write contracts/schemas, contracts/asyncapi.json and contracts/openapi.json from the models and the routes."""
    made = documents()
    if check:
        stale = [
            str(path.relative_to(ROOT)) for path, document in made.items() if not _is_there(path, document)
        ]
        if stale:
            raise WaybillError(f"{', '.join(stale)} is not what the models say.", remedy="Run `make docs`.")
        broken = broken_promises(json.loads(RELEASED.read_text(encoding="utf-8")))
        if broken:
            raise WaybillError(
                "What the last release took is not taken any more: " + "; ".join(broken) + ".",
                remedy="Keep it, or give the contract a new version beside the old one.",
            )
        return
    if release:
        made[RELEASED] = promises()
    for path, document in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(document), encoding="utf-8")
    err.print(f"Wrote {len(made)} files below {FOLDER.relative_to(ROOT)}")


def documents() -> dict[Path, dict[str, Any]]:
    """Path → document, of every file that follows from the models and the routes."""
    from api.app import VERSION, create_app
    from contracts.publishing import asyncapi, schemas

    made = {FOLDER / "schemas" / name: schema for name, schema in schemas().items()}
    made[FOLDER / "asyncapi.json"] = asyncapi(VERSION)
    made[FOLDER / "openapi.json"] = create_app(get_settings()).openapi()
    return made


def promises() -> dict[str, Any]:
    """What a release promises: the schemas by file name, the routes, and the channels."""
    found = documents()
    folder = FOLDER / "schemas"
    return {
        "schemas": {
            str(path.relative_to(folder)): each for path, each in found.items() if folder in path.parents
        },
        "openapi": found[FOLDER / "openapi.json"],
        "asyncapi": found[FOLDER / "asyncapi.json"],
    }


def broken_promises(released: dict[str, Any]) -> list[str]:
    """What a release promised that is not so any more. A schema of a new version is a new file, and breaks nothing."""
    from contracts.compatibility import breaks, broken_channels, broken_operations

    now = promises()
    told = [f"{name} is gone" for name in released["schemas"] if name not in now["schemas"]]
    for name, schema in released["schemas"].items():
        told += [f"{name}{each}" for each in breaks(schema, now["schemas"].get(name, schema))]
    told += broken_operations(released["openapi"], now["openapi"])
    return told + broken_channels(released["asyncapi"], now["asyncapi"])


def _is_there(path: Path, document: dict[str, Any]) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == _text(document)


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
