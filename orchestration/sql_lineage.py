"""From the text of a query to the columns behind each of its columns. No dbt and no Dagster here.

A column stands behind another when its value goes into it; what only joins, filters or groups does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema, Schema

DIALECT = "duckdb"
Catalogue = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Schema → relation → column → type."""


class Column(NamedTuple):
    """One column of one relation."""

    schema: str
    relation: str
    name: str


def schema_of(catalogue: Catalogue) -> Schema:
    """The catalogue as it is read for any number of queries: to read it takes longer than to trace one."""
    return MappingSchema(dict(catalogue), dialect=DIALECT)


class QueryLineage:
    """One query, its names resolved. SqlglotError when the text is no query that sqlglot can read."""

    def __init__(self, sql: str, schema: Schema) -> None:
        query = sqlglot.parse_one(sql, dialect=DIALECT)
        for table in query.find_all(exp.Table):
            table.set("catalog", None)
        # A column that the catalogue does not know is left as it is, instead of refusing the query.
        query = qualify(query, dialect=DIALECT, schema=schema, validate_qualify_columns=False)
        self._scopes: dict[int, Scope] = {}
        root = build_scope(query)
        if root is None or not isinstance(query, exp.Query):
            raise sqlglot.errors.SqlglotError("not a query")
        for scope in root.traverse():
            self._scopes[id(scope.expression)] = scope
        self._root, self._names = root, _names(query)
        self._known: dict[tuple[int, str], frozenset[Column]] = {}

    def columns(self) -> dict[str, list[Column]]:
        """Each column of the result with the columns behind it; one without any is a constant or a count."""
        return {name: sorted(self._behind(self._root, name)) for name in self._names}

    def json_keys(self) -> dict[str, dict[str, list[Column]]]:
        """Column → key → columns behind it, for every column that is written as JSON here."""
        found: dict[str, dict[str, list[Column]]] = {}
        for scope in self._scopes.values():
            for projection in scope.expression.selects if isinstance(scope.expression, exp.Select) else ():
                for pair in projection.find_all(exp.JSONKeyValue):
                    keys = found.setdefault(projection.alias_or_name, {})
                    keys[pair.this.name] = sorted(self._used_in(pair.expression, scope))
        return found

    def _behind(self, scope: Scope, name: str) -> frozenset[Column]:
        key = (id(scope), name)
        if key not in self._known:
            self._known[key] = frozenset()  # what a recursive query says of itself adds nothing
            self._known[key] = frozenset(self._find(scope, name))
        return self._known[key]

    def _find(self, scope: Scope, name: str) -> Iterator[Column]:
        if isinstance(scope.expression, exp.SetOperation):
            place = scope.expression.named_selects.index(name)
            for branch in scope.set_operation_scopes:
                yield from self._behind(branch, _names(branch.expression)[place])
        elif isinstance(scope.expression, exp.Select):
            for projection in scope.expression.selects:
                if projection.alias_or_name == name:
                    yield from self._used_in(projection, scope)
        else:  # a table function: all it is given may be in what it gives
            yield from self._used_in(scope.expression, scope.parent or scope)

    def _used_in(self, expression: exp.Expr, scope: Scope) -> set[Column]:
        found: set[Column] = set()
        for column in expression.find_all(exp.Column):
            source = self._source(column, scope)
            if isinstance(source, Scope):
                found |= self._behind(source, column.name)
            elif isinstance(source, exp.Table) and source.db:
                found.add(Column(source.db, source.name, column.name))
        return found

    def _source(self, column: exp.Column, scope: Scope) -> Scope | exp.Expr | None:
        """Where a column comes from: the query it stands in, or for a correlated one a query around it."""
        around: Scope | None = self._scopes.get(id(column.parent_select), scope)
        while around is not None:
            if column.table in around.sources:
                source: Scope | exp.Expr = around.sources[column.table]
                return source
            around = around.parent
        return None


def _names(query: exp.Expr) -> list[str]:
    return list(query.named_selects) if isinstance(query, exp.Query) else []
