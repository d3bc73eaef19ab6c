"""Dispatch systems: locations, vehicles, trips, consignments with goods and charges, actions.

    GET /api/v5/… ─► ingestion/dispatch/otm5.py ─► landing ─► raw_dispatch.*

Alone: ``python -m ingestion sandbox_dispatch``.
"""
