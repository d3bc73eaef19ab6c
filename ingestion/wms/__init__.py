"""Warehouse systems: what their scanners saw happen to a load.

    GET /events ─► ingestion/wms/epcis.py ─► landing ─► raw_wms.delivery_events

Alone: ``python -m ingestion sandbox_wms``.
"""
