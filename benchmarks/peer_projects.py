"""Waybill, drt and dlt as somebody would set them up to send the same invoices to the same ERP.

Belongs here: each one's files and command. What is done to them, and what is counted, is ``benchmarks.peers``.

drt and dlt post a document that is in effect at once, which is the one call that both can be told to make. ``keyed`` adds
the ERP's unique field; the way both show in their first pages knows no such thing. Both are set to send each row once:
drt in its mode ``incremental`` with a cursor, dlt with an incremental resource and its own helper for requests.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.push import plain_body
from core.settings import ROOT, Settings
from state import decisions
from state.engine import open_state
from tests.integration.activation.conftest import decision_of
from tests.support.approved_rules import let_in

PACKAGES = {"drt": ("drt-core[duckdb]==1.2.1",), "dlt": ("dlt==1.31.0",)}
_LOGIN = "token sandbox-erp-key:sandbox-erp-secret"
Rows = list[dict[str, Any]]

_DRT_SYNC = """
name: invoices
model: "SELECT number, body FROM invoices"
destination:
  type: rest_api
  url: "{url}"
  method: POST
  headers: {{Content-Type: application/json, Authorization: "{login}"}}
  body_template: "{{{{ row.body }}}}"
sync:
  mode: incremental
  cursor_field: number
  on_error: {on_error}
  rate_limit: {{requests_per_second: 10000}}
"""

_DLT_SCRIPT = """
import json
import dlt
from dlt.sources.helpers import requests

@dlt.resource(name="invoices", write_disposition="append")
def invoices(number=dlt.sources.incremental("number")):
    with open("invoices.jsonl", encoding="utf-8") as lines:
        yield from map(json.loads, lines)

@dlt.destination(batch_size=1, loader_file_format="typed-jsonl", name="erp")
def erp(items, table):
    for item in items:
        try:
            requests.post({url!r}, data=item["body"].encode(),
                          headers={{"Content-Type": "application/json", "Authorization": {login!r}}}).raise_for_status()
        except requests.HTTPError as error:
            if error.response.status_code not in {fine}:
                raise

dlt.pipeline("invoices", destination=erp, pipelines_dir="pipelines").run(invoices())
"""

_WAYBILL_SCRIPT = """
import pickle, sys
from core.connections import load_connections
from core.settings import ROOT, Settings
from activation.push import push
from state.engine import open_state
home, rows = pickle.load(open(sys.argv[1], "rb"))
alone = {"operations": ("invoice",)}
found = [
    each.model_copy(update={"destination": each.destination.model_copy(update=alone)})
    for each in load_connections(ROOT / "connections" / "sandbox")
    if each.destination
]
sys.exit(push(open_state(Settings(home=home)), found, rows).failed > 0)
"""


@dataclass(frozen=True)
class Project:
    """One way of sending, set up in a folder: the command that sends what is not sent yet."""

    folder: Path
    command: tuple[str, ...]
    env: Mapping[str, str]

    def start(self) -> subprocess.Popen[bytes]:
        """Run it once; what it prints is kept beside it."""
        with (self.folder / "output.txt").open("ab") as output:
            return subprocess.Popen(
                self.command, cwd=self.folder, env=dict(self.env), stdout=output, stderr=subprocess.STDOUT
            )


def install(folder: Path) -> dict[str, Path]:
    """A virtual environment for each peer, from the package index; name → its folder of programs."""
    programs = {}
    for name, packages in PACKAGES.items():
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder / name], check=True)
        python = folder / name / "bin" / "python"
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)
        programs[name] = python.parent
    return programs


def set_up(
    name: str, folder: Path, erp: str, rows: Rows, programs: Mapping[str, Path], env: Mapping[str, str]
) -> Project:
    """The project of ``waybill``, ``drt``, ``drt keyed``, ``dlt`` or ``dlt keyed`` over these rows."""
    folder.mkdir(parents=True)
    kind, _, keyed = name.partition(" ")
    if kind == "waybill":
        return _waybill(folder, rows, env)
    bodies = [json.dumps(_document(row, is_keyed=bool(keyed))) for row in rows]
    url = f"{erp}/api/resource/Sales%20Invoice"
    if kind == "dlt":
        # With a key, "is there already" is what whoever writes this function takes for done.
        script = _DLT_SCRIPT.format(url=url, login=_LOGIN, fine=(409,) if keyed else ())
        return _dlt(folder, script, bodies, programs[kind], env)
    # Without a key one failure stops drt, as it does by itself; with one the ERP refuses what is there, and it goes on.
    return _drt(
        folder,
        _DRT_SYNC.format(url=url, login=_LOGIN, on_error="skip" if keyed else "fail"),
        bodies,
        programs[kind],
        env,
    )


def _document(row: dict[str, Any], *, is_keyed: bool) -> dict[str, Any]:
    document = plain_body(row) | {"docstatus": 1}
    if not is_keyed:
        document.pop("custom_waybill_key")
    return document


def _waybill(folder: Path, rows: Rows, env: Mapping[str, str]) -> Project:
    engine = open_state(Settings(home=folder / "home"))
    let_in(engine, "r")
    decisions.record(engine, [decision_of(row) for row in rows])
    engine.dispose()
    (folder / "rows.pickle").write_bytes(pickle.dumps((folder / "home", rows)))
    command = (sys.executable, "-c", _WAYBILL_SCRIPT, "rows.pickle")
    return Project(folder, command, {**env, "PYTHONPATH": str(ROOT)})


def _drt(folder: Path, sync: str, bodies: list[str], programs: Path, env: Mapping[str, str]) -> Project:
    warehouse = duckdb.connect(str(folder / "warehouse.duckdb"))
    warehouse.execute("CREATE TABLE invoices (number INTEGER, body VARCHAR)")
    warehouse.executemany("INSERT INTO invoices VALUES (?, ?)", list(enumerate(bodies, start=1)))
    warehouse.close()
    (folder / ".drt").mkdir()
    (folder / ".drt" / "profiles.yml").write_text(
        f"default:\n  type: duckdb\n  database: {folder}/warehouse.duckdb\n"
    )
    (folder / "drt_project.yml").write_text("name: invoices\nprofile: default\n")
    (folder / "syncs").mkdir()
    (folder / "syncs" / "invoices.yml").write_text(sync)
    return Project(folder, (str(programs / "drt"), "run"), {**env, "HOME": str(folder)})


def _dlt(folder: Path, script: str, bodies: list[str], programs: Path, env: Mapping[str, str]) -> Project:
    lines = (json.dumps({"number": number, "body": body}) for number, body in enumerate(bodies, start=1))
    (folder / "invoices.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "send.py").write_text(script, encoding="utf-8")
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "HOME": str(folder)}
    return Project(folder, (str(programs / "python"), "send.py"), {**env, **quiet})
