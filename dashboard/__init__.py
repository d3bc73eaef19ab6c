"""The pages: executive overview and blocked invoices, rendered on the server.

Reads the serving copy of the marts and the state store, and nothing else; writes nothing.
"""
