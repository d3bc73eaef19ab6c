"""The outside world, for an offline run and for tests: real HTTP servers over a seeded world.

Belongs here: what vendors' systems do. Nothing of the platform is imported; the two meet over HTTP and files.
"""
