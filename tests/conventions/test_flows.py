"""Each entry of the registry of flows has everything that the rooms look for under its names."""

from __future__ import annotations

from pathlib import Path

import pytest

from activation import document, exception_alert, fulfilment
from contracts.arrow import schema_of
from contracts.exception_alert import ExceptionAlertCandidate, ExceptionAlertDocument
from contracts.fulfilment import FulfilmentCandidate, FulfilmentDocument
from contracts.invoice import InvoiceCandidate, InvoiceDocument
from core.flows import BY_OPERATION, FLOWS, Flow
from quality import intake, rules

ROOT = Path(__file__).resolve().parents[2]
CANDIDATES = {
    "fulfilment": FulfilmentCandidate,
    "invoice": InvoiceCandidate,
    "exception_alert": ExceptionAlertCandidate,
}
DOCUMENTS = {
    "fulfilment": (FulfilmentDocument, fulfilment.FIELD_COLUMNS),
    "invoice": (InvoiceDocument, document.FIELD_COLUMNS),
    "exception_alert": (ExceptionAlertDocument, exception_alert.FIELD_COLUMNS),
}
each_flow = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.operation)


@each_flow
def test_a_flow_has_its_models_and_its_suite(flow: Flow) -> None:
    models = ROOT / "dbt_project" / "models"
    assert (models / "candidates" / f"{flow.candidates}.sql").exists()
    assert (models / "outbound" / f"{flow.outbound}.sql").exists()
    assert (ROOT / "quality" / "suites" / f"{flow.candidates}.py").exists()
    assert rules.INDEX[flow.operation]


@each_flow
def test_its_candidates_are_columns_of_the_frame_that_judges_them(flow: Flow) -> None:
    own = intake.OWN[flow.operation]
    assert own == schema_of(CANDIDATES[flow.operation])
    assert {name: own.field(name).type for name in own.names}.items() <= {
        name: intake.SCHEMA.field(name).type for name in intake.SCHEMA.names
    }.items()


@each_flow
def test_each_field_of_its_document_names_its_columns(flow: Flow) -> None:
    kind, columns = DOCUMENTS[flow.operation]
    assert set(columns) == set(kind.model_fields)


def test_what_comes_first_is_judged_and_enqueued_first() -> None:
    order = [each.operation for each in FLOWS]
    for flow in FLOWS:
        if flow.follows is not None:
            assert flow.follows in BY_OPERATION
            assert order.index(flow.follows) < order.index(flow.operation)
