"""The policy file is read strictly, and a store takes the rules as they are shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from quality import rules
from quality.policy import DEFAULT, load_policy
from state.shipped_rules import SHIPPED

NOT_JUDGING = {"data_docs.py", "explain.py", "looked_at.py", "replay.py"}
"""Files of ``quality`` that show verdicts and make none."""


def changed(folder: Path, old: str, new: str) -> Path:
    text = DEFAULT.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = folder / "policy.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_the_shipped_rules_are_those_that_a_new_store_takes() -> None:
    assert SHIPPED["flows"] == rules.ruleset_version(load_policy()), (
        "Rules, a file of rules.JUDGING or policy changed: review, then put the version on the right into state/shipped_rules.py."
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dispositions: {}", "dispositions: {POD_MISSNG: WARN}", "POD_MISSNG"),
        ("dispositions: {}", "dispositions: {CHECK_NOT_RUN: WARN}", "CHECK_NOT_RUN"),
        ("dispositions: {}", "dispositions: {POD_MISSING: PASS}", "dispositions"),
        ("pod_future_s: 300", "pod_future_s: -1", "pod_future_s"),
        ("pod_future_s: 300", "pod_futur_s: 300", "pod_futur_s"),
        ('EUR: "250000"', 'EUR: "nan"', "EUR"),
        ('EUR: "250000"', 'euro: "250000"', "euro"),
        ("dispositions: {}", "dispositions: {}\napproval: {role: finance}", "approval"),
    ],
)
def test_a_wrong_policy_is_refused_with_the_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as refused:
        load_policy(changed(tmp_path, old, new))
    assert "policy.yaml:" in refused.value.message


def test_a_changed_disposition_is_taken_and_changes_the_version(tmp_path: Path) -> None:
    policy = load_policy(changed(tmp_path, "dispositions: {}", "dispositions: {CUTOFF_MISMATCH: WARN}"))
    assert rules.disposition("CUTOFF_MISMATCH", policy) == "WARN"
    assert rules.ruleset_version(policy) != rules.ruleset_version(load_policy())


def test_what_is_the_same_said_otherwise_is_the_same_ruleset(tmp_path: Path) -> None:
    policy = load_policy(changed(tmp_path, "# Above this a second person", "# Over this a second person"))
    assert rules.ruleset_version(policy) == rules.ruleset_version(load_policy())


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The package's files, to be changed."""
    return shutil.copytree(DEFAULT.parent, tmp_path / "quality", ignore=shutil.ignore_patterns("__pycache__"))


def another_process() -> None:
    """What a process knows of the files it knows from its beginning."""
    rules._judging.cache_clear()


@pytest.mark.parametrize("name", rules.JUDGING)
def test_a_change_of_any_file_that_judges_changes_the_version(copied: Path, name: str) -> None:
    policy = load_policy()
    assert rules.ruleset_version(policy, copied) == rules.ruleset_version(policy)
    (copied / name).write_text((copied / name).read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert rules.ruleset_version(policy, copied) == rules.ruleset_version(policy), "judges by what it loaded"
    another_process()
    assert rules.ruleset_version(policy, copied) != rules.ruleset_version(policy)


@pytest.mark.parametrize("name", sorted(NOT_JUDGING))
def test_what_shows_verdicts_does_not_change_it(copied: Path, name: str) -> None:
    (copied / name).write_text("", encoding="utf-8")
    assert rules.ruleset_version(load_policy(), copied) == rules.ruleset_version(load_policy())


def test_no_file_of_the_gate_is_forgotten() -> None:
    here = DEFAULT.parent
    found = {
        path.relative_to(here).as_posix()
        for path in here.rglob("*")
        if path.suffix in {".py", ".sql"} and path.name != "__init__.py" and path.parent.name != "rulebook"
    }
    assert found == {*rules.JUDGING, *NOT_JUDGING}


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="POD_LOST"):
        rules.rule("POD_LOST")
