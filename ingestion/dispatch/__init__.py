"""Dispatch: locations, vehicles, trips, consignments with goods and charges, actions into ``raw_dispatch``.

    GET /api/v5/consignments ─► consignments, consignment_lines, consignment_charges ─► landing ─► raw_dispatch

Alone: ``python -m ingestion sandbox_dispatch``
"""
