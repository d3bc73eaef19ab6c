"""One demo and its repetition, as a user runs them, shared by every module that looks at their outcome."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def demo(home: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "cli", "demo", "--json", "--orders", "240", "--base-port", "0"]
    done = subprocess.run(
        command,
        env={**os.environ, "WAYBILL_HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def first(home: Path) -> dict[str, Any]:
    return demo(home)


@pytest.fixture(scope="session")
def first_marts(first: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marts as the first run left them; under the same name, which is their catalog's too."""
    serving = Path(first["paths"]["serving"])
    return Path(shutil.copy(serving, tmp_path_factory.mktemp("first") / serving.name))


@pytest.fixture(scope="session")
def truth(first: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(first["paths"]["truth"]).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def second(first: dict[str, Any], first_marts: Path, home: Path) -> dict[str, Any]:
    assert first and first_marts.exists()
    return demo(home)
