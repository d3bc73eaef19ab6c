"""Telematics systems: positions of vehicles, and what their units noticed.

    GET /fleet/vehicles/stats/feed ─► ingestion/telematics/samsara.py ─► landing ─► raw_telematics.positions
    GET /safety-events/stream      ─►   … samsara_events.py           ─► landing ─► raw_telematics.vehicle_events

Alone: ``python -m ingestion sandbox_telematics``.
"""
