"""The index of resources: which contract fills which raw table, and how it is kept.

A raw table is ``raw_<kind>.<resource>``. ``order`` is the order of loading, so that parents are there
before the rows that name them.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts import carrier, crm, dispatch, erp, maintenance, pod, telematics, tms, wms
from contracts.base import Contract


@dataclass(frozen=True)
class Parent:
    """A row whose ``field`` names no row of ``kind.resource`` waits ``park_hours`` and is then refused."""

    field: str
    kind: str
    resource: str
    parent_field: str
    park_hours: int


@dataclass(frozen=True)
class Resource:
    kind: str
    name: str
    contract: type[Contract]
    parent: Parent | None = None

    @property
    def dataset(self) -> str:
        return f"raw_{self.kind}"


RESOURCES: tuple[Resource, ...] = (
    Resource("erp", "companies", erp.Company),
    Resource("erp", "customers", erp.Customer),
    Resource("erp", "cost_centres", erp.CostCentre),
    Resource("erp", "items", erp.Item),
    Resource("erp", "item_uoms", erp.ItemUom),
    Resource("erp", "item_accounts", erp.ItemAccount),
    Resource("erp", "tax_codes", erp.TaxCode),
    Resource("erp", "orders", erp.Order, Parent("customer_id", "erp", "customers", "customer_id", 24)),
    Resource("erp", "order_lines", erp.OrderLine),
    Resource("erp", "delivery_notes", erp.DeliveryNote),
    Resource("erp", "invoices", erp.Invoice),
    Resource("erp", "invoice_lines", erp.InvoiceLine),
    Resource("dispatch", "locations", dispatch.Location),
    Resource("dispatch", "vehicles", dispatch.Vehicle),
    Resource("dispatch", "drivers", dispatch.Driver),
    Resource("dispatch", "trips", dispatch.Trip),
    Resource("dispatch", "route_points", dispatch.RoutePoint),
    Resource("dispatch", "consignments", dispatch.Consignment),
    Resource("dispatch", "consignment_lines", dispatch.ConsignmentLine),
    Resource("dispatch", "consignment_charges", dispatch.ConsignmentCharge),
    Resource("dispatch", "actions", dispatch.Action),
    Resource(
        "telematics",
        "positions",
        telematics.Position,
        Parent("device_id", "dispatch", "vehicles", "device_id", 24),
    ),
    Resource(
        "telematics",
        "vehicle_events",
        telematics.VehicleEvent,
        Parent("device_id", "dispatch", "vehicles", "device_id", 24),
    ),
    Resource(
        "pod",
        "proofs",
        pod.ProofOfDelivery,
        Parent("consignment_id", "dispatch", "consignments", "consignment_id", 72),
    ),
    Resource("pod", "delivered_lines", pod.DeliveredLine),
    Resource("pod", "evidence", pod.Evidence),
    Resource("wms", "delivery_events", wms.DeliveryEvent),
    Resource("tms", "eta_predictions", tms.EtaPrediction),
    Resource("crm", "exception_events", crm.ExceptionEvent),
    Resource("carrier", "carriers", carrier.Carrier),
    Resource("carrier", "freight_charges", carrier.FreightCharge),
    Resource("maintenance", "maintenance_orders", maintenance.MaintenanceOrder),
)


def resource(kind: str, name: str) -> Resource:
    """The resource ``kind.name``; KeyError when there is none."""
    for each in RESOURCES:
        if (each.kind, each.name) == (kind, name):
            return each
    raise KeyError(f"{kind}.{name}")
