"""Paging by change time neither loses nor doubles a row, also when documents change while they are listed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingestion.paging import by_change

START = datetime(2026, 11, 1, tzinfo=UTC)


def _fetch(rows, size, before=lambda: None):
    def fetch(since, offset):
        before()
        found = sorted(
            (r for r in rows if since is None or r["at"] >= since), key=lambda r: (r["at"], r["id"])
        )
        return found[offset : offset + size], len(found) > offset + size

    return fetch


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 7))
def test_every_row_comes_once_however_many_share_an_instant(minutes, size):
    rows = [{"id": f"{n:03d}", "at": START + timedelta(minutes=m)} for n, m in enumerate(minutes)]
    pages = list(by_change(_fetch(rows, size), lambda row: row["at"], None))
    assert sorted(r["id"] for page in pages for r in page) == sorted(r["id"] for r in rows)


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 7))
def test_rows_of_one_instant_share_a_page(minutes, size):
    rows = [{"id": f"{n:03d}", "at": START + timedelta(minutes=m)} for n, m in enumerate(minutes)]
    pages = [{r["at"] for r in page} for page in by_change(_fetch(rows, size), lambda row: row["at"], None)]
    assert sum(map(len, pages)) == len({r["at"] for r in rows})


def test_a_document_that_changes_meanwhile_hides_no_other():
    rows = [{"id": f"{n:03d}", "at": START + timedelta(minutes=n)} for n in range(10)]
    calls = []

    def touch():
        calls.append(1)
        if len(calls) == 2:
            rows[0]["at"] = START + timedelta(hours=1)

    seen = {r["id"] for page in by_change(_fetch(rows, 3, touch), lambda row: row["at"], None) for r in page}
    assert seen == {f"{n:03d}" for n in range(10)}


def test_an_exact_repeat_is_kept_for_the_border_to_count():
    rows = [{"id": "1", "at": START}, {"id": "1", "at": START}, {"id": "2", "at": START}]
    pages = list(by_change(_fetch(rows, 2), lambda row: row["at"], None))
    assert [r["id"] for page in pages for r in page] == ["1", "1", "2"]
