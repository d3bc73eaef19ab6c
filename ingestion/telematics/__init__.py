"""Telematics systems: positions of vehicles.

    GET /fleet/vehicles/stats/feed ─► ingestion/telematics/samsara.py ─► landing ─► raw_telematics.positions

Alone: ``python -m ingestion sandbox_telematics``.
"""
