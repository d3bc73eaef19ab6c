"""A column in which an export exchanged day and year is refused as a whole and reported; a sound one is read."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from ingestion.files.damage import damage_of
from ingestion.files.rows import Mapped

AS_OF = datetime(2016, 1, 1, tzinfo=UTC)
FORMATS = ("%d-%b-%y",)
DAYS = [date(2006, 5, 2) + timedelta(days=11 * step) for step in range(200)]
SOUND = [f"{day:%d-%b-%y}" for day in DAYS]
SWAPPED = [f"{day:%y-%b-%d}" for day in DAYS]
MAPPING = """\
  formats: "%d-%b-%y"
  tables:
    lines: {files: lines.csv}
  resources:
    - resource: freight_charges
      table: lines
      fields:
        freight_charge_id: id
        amount: amount
        currency: {constant: USD}
        charged_at: {column: day, day: true}
"""


def judged(texts: list[str]) -> str | None:
    return damage_of(dict.fromkeys(texts, FORMATS), AS_OF)


def test_exchanged_days_and_years_are_told_with_both_readings() -> None:
    found = judged(SWAPPED)
    assert found is not None
    assert "from 2006 to 2012" in found and "2031" in found


@pytest.mark.parametrize(
    "texts",
    [
        SOUND,
        SWAPPED[:5],
        [f"01-Jan-{year:02}" for year in range(16)],
        [f"{day % 28 + 1:02}-Mar-{day % 31 + 1:02}" for day in range(500)],
        [],
    ],
    ids=["sound", "too few to judge", "always the first of the month", "days spread as days do", "nothing"],
)
def test_a_column_that_may_be_true_is_not_judged(texts: list[str]) -> None:
    assert judged(texts) is None


QUARTER = [date(2018, 1, 1) + timedelta(days=step) for step in range(90)]
EXPORTED = [each.replace(day=each.month, month=each.day) if each.day <= 12 else each for each in QUARTER]
"""A spreadsheet of another country took what it could read its own way, and left the rest."""


@pytest.mark.parametrize("written", ["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y"])
def test_days_and_months_exchanged_in_part_of_a_column_are_told(written: str) -> None:
    formats = ("iso",) if written == "%Y-%m-%d" else (written,)
    found = damage_of({f"{day:{written}}": formats for day in EXPORTED}, AS_OF)
    assert found is not None and "with day and month exchanged 27 of them lie in months that do" in found
    assert damage_of({f"{day:{written}}": formats for day in QUARTER}, AS_OF) is None


@pytest.mark.parametrize(
    "days",
    [
        [date(year, month, 1) for year in range(2000, 2010) for month in range(1, 13)],
        [date(2018, 1, 5) + timedelta(days=7 * step) for step in range(150)],
        QUARTER[:10],
    ],
    ids=["firsts of months", "every Friday", "too few to judge"],
)
def test_a_sparse_column_is_not_judged(days: list[date]) -> None:
    assert damage_of({f"{day:%Y-%m-%d}": ("iso",) for day in days}, AS_OF) is None


def test_a_column_written_the_other_way_round_is_told_and_single_slips_are_not() -> None:
    other = {f"{day:%d/%m/%Y}": ("%m/%d/%Y",) for day in QUARTER}
    found = damage_of(other, AS_OF)
    assert found is not None and "fit with day and month exchanged only" in found
    slips = [f"{day:%m/%d/%Y}" for day in QUARTER] + ["13/01/2018", "14/01/2018"]
    assert damage_of(dict.fromkeys(slips, ("%m/%d/%Y",)), AS_OF) is None
    both = dict.fromkeys([f"{day:%d/%m/%Y}" for day in QUARTER], ("%m/%d/%Y", "%d/%m/%Y"))
    assert "no day after the twelfth occurs" in str(damage_of(both, AS_OF)), (
        "the first format takes what it can"
    )


@pytest.mark.parametrize(("days", "faults"), [(SWAPPED, {"DATES_DAMAGED"}), (SOUND, set())])
def test_every_row_of_a_damaged_column_is_refused(
    read: Callable[..., list[Mapped]], days: list[str], faults: set[str]
) -> None:
    lines = "\n".join(f"{number},1.50,{day}" for number, day in enumerate(days))
    rows = read(MAPPING, "carrier", lines__csv=f"id,amount,day\n{lines}\n")
    assert len(rows) == len(days)
    assert {row.fault[0] for row in rows if row.fault} == faults
