"""Writing into foreign systems, once: the push loop and the destinations it speaks to.

Belongs here: everything that changes a system that is not ours. No other package may.
"""
