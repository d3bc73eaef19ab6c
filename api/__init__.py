"""The API for other programs: business capabilities under ``/v1``, described by ``/v1/openapi.json``.

Belongs here: routes, and reading what they answer from the serving copy or the state store. Does not belong
here: a rule or a definition of a number; pages for people (``dashboard``).
"""
