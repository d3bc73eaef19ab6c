"""What the database itself refuses: moves that the state machine has not, and changes of the ledger.

Migrations install these statements, one list per dialect.
"""

from __future__ import annotations

from state.transitions import TRANSITIONS

_ILLEGAL = "illegal outbox transition"
_APPEND_ONLY = "the ledger is append-only"


def _legal_moves() -> str:
    return " OR ".join(
        f"(OLD.state = '{before}' AND NEW.state IN ({', '.join(repr(each) for each in sorted(after))}))"
        for before, after in TRANSITIONS.items()
        if after
    )


def sqlite_statements() -> list[str]:
    """Triggers for SQLite."""
    return [
        f"""CREATE TRIGGER outbox_transitions BEFORE UPDATE OF state ON outbox
        WHEN OLD.state <> NEW.state AND NOT ({_legal_moves()})
        BEGIN SELECT RAISE(ABORT, '{_ILLEGAL}'); END""",
        *(
            f"""CREATE TRIGGER ledger_no_{verb.lower()} BEFORE {verb} ON ledger
            BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"""
            for verb in ("UPDATE", "DELETE")
        ),
    ]


def postgresql_statements() -> list[str]:
    """The same for PostgreSQL."""
    return [
        f"""CREATE FUNCTION outbox_transitions() RETURNS trigger AS $$ BEGIN
        IF OLD.state <> NEW.state AND NOT ({_legal_moves()}) THEN RAISE EXCEPTION '{_ILLEGAL}'; END IF;
        RETURN NEW; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER outbox_transitions BEFORE UPDATE ON outbox
        FOR EACH ROW EXECUTE FUNCTION outbox_transitions()""",
        f"""CREATE FUNCTION ledger_append_only() RETURNS trigger AS $$ BEGIN
        RAISE EXCEPTION '{_APPEND_ONLY}'; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger
        FOR EACH ROW EXECUTE FUNCTION ledger_append_only()""",
    ]
