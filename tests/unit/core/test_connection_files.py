"""A broken connection file is told by file, line, field, expected and found."""

from pathlib import Path

import pytest

from core.connections import load_connections
from core.errors import ConfigurationError

GOOD = """\
connection: acme_erp
kind: erp
adapter: frappe
owner: finance-systems
base_url: ${ACME_URL:-http://127.0.0.1:1}
"""


def write(folder: Path, text: str, name: str = "acme.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, GOOD)
    assert load_connections(tmp_path)[0].base_url == "http://127.0.0.1:1"
    monkeypatch.setenv("ACME_URL", "http://127.0.0.1:2")
    assert load_connections(tmp_path)[0].base_url == "http://127.0.0.1:2"


@pytest.mark.parametrize(
    ("text", "line", "field", "found"),
    [
        (GOOD.replace("kind: erp", "kind: erpp"), 2, "kind", "erpp"),
        (GOOD + "sla:\n  freshness_s: soon\n", 7, "sla.freshness_s", "soon"),
        (GOOD + "colour: red\n", 6, "colour", "red"),
        (GOOD.replace("owner: finance-systems\n", ""), 1, "owner", "connection"),
        (GOOD + "destination:\n  settle_s: -1\n", 7, "destination.settle_s", "-1"),
    ],
)
def test_a_wrong_field_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, field: str, found: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as error:
        load_connections(tmp_path)
    assert f"{path}:{line}: {field}: expected" in str(error.value)
    assert found in str(error.value)
    assert error.value.remedy


def test_what_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, GOOD + "options: [1, 2\n")
    with pytest.raises(ConfigurationError, match=r"acme\.yaml:\d+: not YAML"):
        load_connections(tmp_path)


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace(":-http://127.0.0.1:1", ""))
    with pytest.raises(ConfigurationError, match=r"acme\.yaml:5: the variable ACME_URL"):
        load_connections(tmp_path)


def test_two_files_do_not_share_a_name(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD, "other.yaml")
    with pytest.raises(ConfigurationError, match="defined twice"):
        load_connections(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No connection file"):
        load_connections(tmp_path)


def test_no_and_on_are_words(tmp_path: Path) -> None:
    """YAML 1.1 reads the country NO as false; a column called `no` would never be found."""
    write(tmp_path, GOOD + "options: {country: NO, column: on, keep: true}\n")
    assert load_connections(tmp_path)[0].options == {"country": "NO", "column": "on", "keep": True}
