"""What every part of the platform stands on: settings, errors, ids, money, time, connections, the warehouse.

Belongs here: things that at least two other packages need and that know nothing of any vendor or flow.
"""
