"""Every command and target says what it does, and the pages name none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import typer
from typer.testing import CliRunner

from cli.kpi import Dimension
from cli.main import typer_app
from core.settings import ROOT
from state import letter_states

TREE: Any = typer.main.get_command(typer_app)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def commands(group: Any = TREE, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        yield (*path, name), command


def unknown(text: str) -> set[str]:
    """Commands and targets that a page calls and that are not there."""
    paths = {" ".join(path) for path, _ in commands()}
    groups = {" ".join(path) for path, command in commands() if hasattr(command, "commands")}
    called = re.findall(r"(?:^    |`)waybill ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", text, re.MULTILINE)
    words = {f"{first} {second}" if first in groups and second else first for first, second in called}
    made = set(re.findall(r"(?:^    |`)make ([a-z-]+)", text, re.MULTILINE))
    return (words - paths) | {f"make {each}" for each in made - TARGETS}


@pytest.mark.parametrize(
    ("path", "command"), list(commands()), ids=lambda each: " ".join(each) if isinstance(each, tuple) else ""
)
def test_every_command_and_option_is_explained(path: tuple[str, ...], command: Any) -> None:
    assert command.help
    silent = [each.name for each in command.params if each.name != "help" and not each.help]
    assert silent == []
    assert CliRunner().invoke(typer_app, [*path, "--help"]).exit_code == 0


def test_every_target_is_explained() -> None:
    told = set(re.findall(r"^([a-z-]+):.*## \S", MAKEFILE, re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split())
    assert told == phony == TARGETS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_calls_only_what_is_there(page: Any) -> None:
    assert unknown(page.read_text(encoding="utf-8")) == set()


def test_what_is_not_there_is_told() -> None:
    text = (
        "    waybill kpi --grain day\n    waybill explode\n`waybill outbox lst` and `make tea`, `make test`"
    )
    assert unknown(text) == {"explode", "outbox lst", "make tea"}


@pytest.mark.parametrize(
    "words",
    [
        ["kpi", "--grain", "year"],
        ["kpi", "--dimension", "colour"],
        ["dead-letter", "list", "--status", "lost"],
        ["outbox", "list", "--state", "POSTED"],
    ],
)
def test_a_word_that_is_none_is_wrong_usage(words: list[str]) -> None:
    found = CliRunner().invoke(typer_app, words)
    assert found.exit_code == 2
    assert words[-1] in found.output


def test_the_choices_are_those_of_what_they_choose_from() -> None:
    macros = (ROOT / "dbt_project" / "macros" / "kpi.sql").read_text(encoding="utf-8")
    names = re.search(r"return\(\[('company_id'.*?)\]\)", macros)
    assert names
    by = {name.strip().strip("'").removesuffix("_id") for name in names[1].split(",")}
    assert set(get_args(Dimension)) == {"all", *by}
    assert get_args(letter_states.Status) == letter_states.STATUSES
