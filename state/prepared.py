"""Statements that run at each attempt: compiled once, then handed to the driver with the values as it stores them.

Each time it executes one, SQLAlchemy looks it up among those it has compiled, works out its lists and prepares to convert what
comes back: several times as long as the driver takes to run it. Belongs here: doing that once, in SQLAlchemy's transaction and with
its errors. Any other statement is executed as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Select, Update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.compiler import SQLCompiler

from state.driver_errors import error_of

Values = Mapping[str, Any]
_MOST_OF_A_LIST = 8
"""Lists of up to so many values have a text of their own for each length; longer ones are SQLAlchemy's."""


@dataclass(frozen=True)
class _Text:
    """A statement as one driver takes it; ``constants`` are the values that stand in the statement itself."""

    sql: str
    names: Sequence[str]
    is_positional: bool
    constants: Values
    stored: Mapping[str, Callable[[Any], Any]]

    def values(self, given: Values) -> Any:
        """Those of one execution."""
        known = {**self.constants, **given}
        for name, convert in self.stored.items():
            known[name] = convert(known[name])
        return tuple([known[each] for each in self.names]) if self.is_positional else known


class Prepared:
    """A statement whose parameters are given by name; an insert is given the ``columns`` it fills.

    What a query selects has to be what the driver itself gives back: TypeError when a column's type converts it.
    """

    def __init__(
        self, statement: Select[Any] | Insert | Update, columns: Sequence[str] | None = None
    ) -> None:
        self._statement, self._columns = statement, columns
        self._texts: dict[tuple[Any, ...], _Text] = {}

    def rows(self, db: Connection, values: Values) -> list[tuple[Any, ...]]:
        """What a query finds, in the caller's transaction. A list is the value of an ``IN`` with a parameter that expands."""
        lists = {name: each for name, each in values.items() if isinstance(each, list)}
        if any(not 0 < len(each) <= _MOST_OF_A_LIST for each in lists.values()):
            return [tuple(row) for row in db.execute(self._statement, values)]
        text = self._text(db.dialect, values, lists)
        flat = {name: each for name, each in values.items() if name not in lists} if lists else values
        given = text.values({**flat, **_numbered(lists)} if lists else flat)
        with closing(_executed(db, "execute", text.sql, given)) as cursor:
            return list(cursor.fetchall())

    def change(self, db: Connection, values: Values) -> int:
        """Execute it once; how many rows it changed."""
        text = self._text(db.dialect, values, {})
        with closing(_executed(db, "execute", text.sql, text.values(values))) as cursor:
            return cursor.rowcount

    def change_all(self, db: Connection, many: Sequence[Values]) -> None:
        """Execute it with each of these values, which are alike and hold no list."""
        if many:
            text = self._text(db.dialect, many[0], {})
            change_all(db, text.sql, [text.values(each) for each in many])

    def _text(self, dialect: Dialect, values: Values, lists: Mapping[str, Sequence[Any]]) -> _Text:
        key = (dialect.name, *((name, len(each)) for name, each in lists.items()))
        if key not in self._texts:
            self._texts[key] = self._compiled(dialect, values, lists)
        return self._texts[key]

    def _compiled(self, dialect: Dialect, values: Values, lists: Mapping[str, Sequence[Any]]) -> _Text:
        statement = self._statement
        if isinstance(statement, Select):
            _refuse_converted(statement, dialect)
            statement = statement.params(values)
        elif isinstance(statement, Insert):
            statement = statement.inline()  # nobody asks for the numbers that the database gives
        compiled = statement.compile(
            dialect=dialect, column_keys=self._columns, compile_kwargs={"render_postcompile": True}
        )
        assert isinstance(compiled, SQLCompiler)
        known = compiled.params if isinstance(statement, Select) else compiled.construct_params(dict(values))
        given = {*values, *_numbered(lists)}
        found = {name: _stored(compiled, name, dialect) for name in known if name not in lists}
        return _Text(
            str(compiled),
            compiled.positiontup or (),
            compiled.positional,
            {name: value for name, value in known.items() if name not in given},
            {name: convert for name, convert in found.items() if convert is not None},
        )


def change_all(db: Connection, sql: str, many: Sequence[Any]) -> None:
    """Hand the driver a change of its own text, with the values of each execution as it stores them."""
    if len(many) == 1:
        _executed(db, "execute", sql, many[0]).close()
    else:
        _executed(db, "executemany", sql, many).close()


def _executed(db: Connection, execute: str, sql: str, values: Any) -> DBAPICursor:
    """The cursor that has executed it, in the connection's transaction, which begins here where nothing has yet begun it."""
    if not db.in_transaction():
        db.begin()
    cursor = db.connection.cursor()
    try:
        getattr(cursor, execute)(sql, values)
    except db.dialect.loaded_dbapi.Error as error:
        cursor.close()
        raise error_of(db, sql, values, error) from error
    return cursor


def _numbered(lists: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """The values of lists by the names that SQLAlchemy gives them."""
    return {
        f"{name}_{number}": each for name, many in lists.items() for number, each in enumerate(many, start=1)
    }


def _stored(compiled: SQLCompiler, name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What turns a value into what is stored, where anything does; one of a list is converted as the list's are."""
    bind = compiled.binds[name if name in compiled.binds else name.rpartition("_")[0]]
    return bind.type.dialect_impl(dialect).bind_processor(dialect)


def _refuse_converted(statement: Select[Any], dialect: Dialect) -> None:
    for column in statement.selected_columns:
        if column.type.dialect_impl(dialect).result_processor(dialect, None) is not None:
            raise TypeError(f"{column} is converted when it is read: execute this query as any other.")
