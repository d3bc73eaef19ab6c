"""Five HTTP servers over one world, each a FastAPI app in a process of its own.

Belongs here: the vendors' dialects, faults on demand, the processes. What the world holds is `sandbox/world`.
"""
