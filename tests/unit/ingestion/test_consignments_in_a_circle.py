"""A consignment that is its own ancestor is refused, also when the circle spans pages."""

from datetime import UTC, datetime

from ingestion.dispatch.otm5_fields import Reader, consignments
from ingestion.times import Times

AT = datetime(2026, 11, 13, 12, tzinfo=UTC)


def consignment(name, parent=None):
    return {"id": name, "status": "accepted", "externalAttributes": {"orderId": "SO-1", "parentId": parent}}


def refused(reader, *entities):
    rows = consignments(entities, reader)
    return [row.fields["consignment_id"] for row in rows if row.rejection and row.rejection.reason == "CYCLE"]


def reader():
    return Reader(Times, lambda _: AT)


def test_a_circle_on_one_page_is_refused_whole():
    assert refused(reader(), consignment("A", "B"), consignment("B", "C"), consignment("C", "A")) == list(
        "ABC"
    )


def test_the_row_that_closes_a_circle_over_two_pages_is_refused():
    one = reader()
    assert refused(one, consignment("A", "B")) == []
    assert refused(one, consignment("B", "A")) == ["B"]


def test_a_long_chain_is_no_circle():
    one = reader()
    assert refused(one, consignment("A", "B"), consignment("B", "C")) == []
    assert refused(one, consignment("C"), consignment("D", "A")) == []
