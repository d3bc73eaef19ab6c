"""The numbers under a run: a length of time reads the same before and after nought, and a mean stands beside its median."""

from __future__ import annotations

from typing import Any

import pytest

from cli.result import print_result


def shown(capsys: pytest.CaptureFixture[str], **kpi: Any) -> list[str]:
    """The cells of one metric's row."""
    base = {
        "metric": "m_s",
        "variant": "default",
        "unit": "s",
        "currency": None,
        "n": 20,
        "p90": None,
        "p95": None,
    }
    print_result({
        "sources": [], "shipments": 1, "paths": {}, "seconds": {}, "kpis": [base | kpi],
        "invoices": dict.fromkeys(("candidates", "released", "blocked", "posted", "already_posted", "failed"), 0)
        | {"amount_by_currency": {}, "blocked_by_code": {}},
    })  # fmt: skip
    [line] = [line for line in capsys.readouterr().out.splitlines() if "m_s" in line]
    return [cell.strip() for cell in line.split("│")[1:-1]]


@pytest.mark.parametrize(("seconds", "said"), [
    (0, "0 min 00 s"), (59, "0 min 59 s"), (-59, "−0 min 59 s"), (-0.4, "0 min 00 s"), (3_600, "1 h 00 min"),
    (-3_660, "−1 h 01 min"), (90_000, "1 d 1 h"), (-90_000, "−1 d 1 h"),
])  # fmt: skip
def test_what_came_too_early_is_as_long_as_what_came_too_late(
    capsys: pytest.CaptureFixture[str], seconds: float, said: str
) -> None:
    assert shown(capsys, value=seconds, p50=seconds)[5] == said


def test_a_mean_stands_beside_its_median(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, value=-158.7, p50=-61.0)[4:6] == ["−2 min 39 s", "−1 min 01 s"]


def test_a_mean_that_has_no_percentiles_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, value=61, p50=None)[4:6] == ["1 min 01 s", "–"]


@pytest.mark.parametrize(("value", "p50"), [(61, 61.0), (None, None)])
def test_a_median_stands_once(capsys: pytest.CaptureFixture[str], value: Any, p50: Any) -> None:
    assert shown(capsys, value=value, p50=p50)[4] == "–"
