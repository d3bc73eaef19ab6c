"""The house rules that a machine can hold: docstrings, sizes, who prints, who reads the environment."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "activation", "api", "benchmarks", "cli", "contracts", "core", "dashboard", "ingestion", "orchestration",
    "quality", "sandbox", "state",
)  # fmt: skip
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MODELS = sorted((ROOT / "dbt_project" / "models").rglob("*.sql"))
HEAVY = ("dlt", "dbt", "great_expectations", "pandas", "polars", "altair", "alembic")

# Writing a variable for a child or for dbt's profile is not reading a setting.
WRITES_THE_ENVIRONMENT = {
    "cli/demo.py", "cli/sandbox_process.py", "cli/services.py", "orchestration/dbt_runner.py", "orchestration/run.py",
    "benchmarks/demo.py", "benchmarks/events.py", "benchmarks/idle.py", "benchmarks/load_world.py",
}  # fmt: skip


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_what_belongs_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), "no module docstring"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_a_small_room(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", MODELS, ids=name)
def test_a_model_is_a_small_room(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    assert len(re.findall(r"\bjoin\b", text, re.IGNORECASE)) <= 6


def test_only_staging_and_what_tells_changes_calls_source() -> None:
    guilty = [
        name(path)
        for path in MODELS
        if not {"staging", "changes"} & {*path.parts}
        and re.search(r"\bsource\(", path.read_text(encoding="utf-8"))
    ]
    assert guilty == []


def test_only_settings_read_the_environment() -> None:
    reading = {
        name(path)
        for path in MODULES
        if re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8"))
        and not name(path).startswith("sandbox/")
    }
    assert reading - WRITES_THE_ENVIRONMENT == {"core/settings.py"}


def test_loading_the_definitions_imports_nothing_heavy() -> None:
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, orchestration.definitions\n"
            f"print([name for name in {HEAVY!r} if name in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert found.stdout.strip() == "[]"


def test_the_project_names_no_machine_and_no_download_host() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.splitlines()
    pattern = re.compile(r"/root/|/work/|/tmp/[a-z]|pythonhosted|https?://(files|registry|deb|security)\.")
    guilty = []
    for each in tracked:
        path = ROOT / each
        if path.suffix in {".png", ".svg"} or path == Path(__file__) or not path.is_file():
            continue
        if pattern.search(path.read_text(encoding="utf-8", errors="ignore")):
            guilty.append(each)
    assert guilty == []
