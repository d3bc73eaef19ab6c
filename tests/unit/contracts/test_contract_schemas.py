"""Arrow types follow from the contracts, and the index of resources is complete."""

from typing import Annotated, Any

import pyarrow as pa
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from contracts import carrier, crm, dispatch, erp, maintenance, pod, telematics, tms, wms
from contracts.arrow import INSTANT, field_type, schema_of
from contracts.base import Contract, Envelope
from contracts.invoice import InvoiceCandidate
from contracts.resources import RESOURCES, resource


def test_money_is_decimal_and_time_is_utc() -> None:
    schema = schema_of(erp.Order)
    assert schema.field("net_total_amount").type == pa.decimal128(18, 4)
    assert schema.field("fx_rate").type == pa.decimal128(18, 8)
    assert schema.field("ordered_at").type == INSTANT
    assert schema.field("order_id").type == pa.string()
    assert not schema.field("order_id").nullable
    assert schema.field("po_no").nullable


def test_no_money_column_is_a_float() -> None:
    for model in [each.contract for each in RESOURCES] + [InvoiceCandidate]:
        for field in schema_of(model):
            if field.name.endswith(("_amount", "quantity")):
                assert pa.types.is_decimal(field.type), f"{model.__name__}.{field.name}"


def test_no_whole_number_is_wider_than_its_column() -> None:
    for each in RESOURCES:
        for name, field in each.contract.model_fields.items():
            if field_type(field)[0] == pa.int64():
                whole = TypeAdapter[Any](Annotated[(field.annotation, field)])
                with pytest.raises(ValidationError):
                    whole.validate_python(2**63)
                assert whole.validate_python(2**62) == 2**62, f"{each.name}.{name}"


def test_every_contract_has_a_raw_table() -> None:
    defined = {
        each
        for module in (carrier, crm, dispatch, erp, maintenance, pod, telematics, tms, wms)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Contract) and each is not Contract
    }
    assert {each.contract for each in RESOURCES} == defined


def test_keys_and_parents_are_fields() -> None:
    for each in RESOURCES:
        assert set(each.contract.key) <= set(each.contract.model_fields)
        if each.parent:
            parent = resource(each.parent.kind, each.parent.resource)
            assert each.parent.field in each.contract.model_fields
            assert each.parent.parent_field in parent.contract.model_fields


def test_the_envelope_does_not_collide_with_a_contract() -> None:
    for each in RESOURCES:
        assert not set(Envelope.model_fields) & set(each.contract.model_fields)


def test_a_type_without_a_column_is_named() -> None:
    class Odd(BaseModel):
        what: bytes

    with pytest.raises(TypeError, match="bytes"):
        schema_of(Odd)
