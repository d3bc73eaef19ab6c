"""One demo and its repetition, as a user runs them, shared by every module that looks at their outcome.

The repetition is a live one, in a copy of the home: what it adds is in nobody's way.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.up import free_port

ROOT = Path(__file__).resolve().parents[2]


def demo(home: Path, *words: str) -> tuple[dict[str, Any], str]:
    """A demo that ends well: its document, and what it said beside it."""
    command = [sys.executable, "-m", "cli", "demo", "--json", "--orders", "240", "--base-port", "0", *words]
    done = subprocess.run(
        command,
        env={**os.environ, "WAYBILL_HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document, done.stderr


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def first(home: Path) -> dict[str, Any]:
    return demo(home)[0]


@pytest.fixture(scope="session")
def first_marts(first: dict[str, Any]) -> Path:
    """The marts as the first run left them."""
    return Path(first["paths"]["serving"])


@pytest.fixture(scope="session")
def truth(first: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(first["paths"]["truth"]).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the repetition runs."""
    return tmp_path_factory.mktemp("again") / "home"


@pytest.fixture(scope="session")
def repeated(first: dict[str, Any], home: Path, again: Path) -> tuple[dict[str, Any], str]:
    assert first
    shutil.copytree(home, again)
    return demo(again, "--live", "--api-port", str(free_port()))


@pytest.fixture(scope="session")
def second(repeated: tuple[dict[str, Any], str]) -> dict[str, Any]:
    return repeated[0]


@pytest.fixture(scope="session")
def said(repeated: tuple[dict[str, Any], str]) -> str:
    """What the repetition told whoever watched."""
    return repeated[1]
