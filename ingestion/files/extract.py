"""One company's extract: its tables, and the rows of each resource that the mapping makes of them.

Belongs here: which files are read for which resource, look-up tables, versions and fingerprints. It knows
nothing of dlt or of how rows are stored: ``adapter.py`` hands them over.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from contracts.base import EARLIEST
from contracts.resources import RESOURCES, Resource
from core.clock import utc_now
from core.connections import Connection
from core.errors import PermanentFailure, TransientFailure
from core.ids import canonical_json, sha256_hex
from core.settings import secret
from ingestion.files.damage import MOST_CELLS, damage_of
from ingestion.files.mapping import FilesOptions, ResourceMapping, date_columns, zone_of
from ingestion.files.mapping_checks import read_options
from ingestion.files.readers import FileRefused, Narration, Row, read_rows
from ingestion.files.rows import Index, Mapped, RowMapper, index_rows, largest_of
from ingestion.files.storage import Folder, Found
from ingestion.strict_json import LARGEST_ROW

log = logging.getLogger("waybill.ingestion")


class Extract:
    """The files of one connection as rows of its resources. PermanentFailure when a file is missing."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.options: FilesOptions = read_options(connection)
        keys = {word: secret(name).get_secret_value() for word, name in connection.secrets.items()}
        self._folder = Folder(self.options.folder, {**self.options.storage, **keys})
        self._mapped_at = _written(connection.file)
        self._checked: set[str] = set()
        self._told: set[str] = set()

    def resources(self) -> list[Resource]:
        """The resources that the mapping fills, parents first."""
        named = {each.resource for each in self.options.resources}
        return [each for each in RESOURCES if each.kind == self.connection.kind and each.name in named]

    def fingerprint(self, resource: str) -> str:
        """Changes when a file behind the resource or the mapping changes: else there is nothing to read."""
        tables = {name for each in self._of(resource) for name in _tables(each)}
        seen = {
            f"{table}:{found.path}": found.fingerprint
            for table in sorted(tables)
            for found in self._files(table)
        }
        newest = self._newest() if self._needs_newest(resource) else None
        return sha256_hex(canonical_json([self.options.model_dump(mode="json"), seen, str(newest)]))

    def rows(self, resource: Resource) -> Iterator[Mapped]:
        """Every row of one resource, good or faulty. A fault of a file or line is told once for each."""
        faults: set[str] = set()
        for mapping in self._of(resource.name):
            indexes = {name: self._index(mapping, name) for name in mapping.lookup}
            damaged = self._damaged_columns(mapping, resource)
            zone = zone_of(self.connection)
            mapper = RowMapper(mapping, resource.contract, self.options, zone, indexes, damaged)
            rows = self._table(mapping)
            for row, version in largest_of(rows, mapping.keep) if mapping.keep else rows:
                if row.fault and row.place in faults:
                    continue
                if row.fault:
                    faults.add(row.place)
                for mapped in mapper.rows(row):
                    mapped.version = mapped.version or version
                    yield mapped

    def _damaged_columns(self, mapping: ResourceMapping, resource: Resource) -> dict[str, str]:
        """Columns of dates that no longer can be true as a whole, with what is wrong; told once each."""
        formats = date_columns(mapping, resource.contract, self.options)
        if not formats:
            return {}
        cells: dict[str, dict[str, tuple[str, ...]]] = {column: {} for column in formats}
        for row, _ in self._table(mapping):
            for column in formats:
                if isinstance(cell := row.cells.get(column), str) and len(cells[column]) < MOST_CELLS:
                    cells[column][cell.strip()] = formats[column]
        as_of = self.connection.as_of or utc_now()
        found = {column: damage for column in cells if (damage := damage_of(cells[column], as_of))}
        for column, damage in found.items():
            log.warning("%s: column %r is refused: %s", self.connection.connection, column, damage)
        return found

    def _of(self, resource: str) -> list[ResourceMapping]:
        return [each for each in self.options.resources if each.resource == resource]

    def _table(self, mapping: ResourceMapping) -> Iterator[tuple[Row, datetime | None]]:
        """The rows of the mapping's own table, with the version that its file implies where no column says it."""
        table = self.options.tables[mapping.table]
        if table.rows is not None:
            version = None if mapping.version else self._newest()
            for number, cells in enumerate(table.rows, start=1):
                yield Row(f"{mapping.table}:{number}", dict(cells)), version
            return
        needed = {each for each in mapping.columns() if each.split(".")[0] not in mapping.lookup}
        needed |= {mapping.each} if mapping.each else set()
        for found in self._files(mapping.table):
            version = None if mapping.version else self._version_of(found)
            for row in self._read(mapping.table, found, needed, mapping.each):
                yield row, version

    def _read(self, table: str, found: Found, needed: set[str], each: str | None) -> Iterator[Row]:
        told = Narration()
        first = True
        try:
            with self._folder.open(found) as handle:
                shape = self.options.tables[table]
                for row in read_rows(handle, found.name, shape, told, checked=found.path in self._checked):
                    if first:
                        self._check_columns(table, found, needed, each, told.columns)
                        first = False
                    yield row
        except FileRefused as error:
            yield self._refused(found, error)
            return
        except (EOFError, OSError, zlib.error) as error:
            raise TransientFailure(
                f"{self.connection.connection}: {found.name} cannot be read to its end: {error}.",
                remedy="Ask for the file again, or wait until it is completely there; nothing of it was taken.",
            ) from error
        self._check_columns(table, found, needed, each, told.columns)
        self._checked.add(found.path)
        if found.path not in self._told:
            self._told.add(found.path)
            blank = f", {told.blank} blank rows skipped" if told.blank else ""
            log.info("%s: %s has %d rows%s", self.connection.connection, found.name, told.rows, blank)

    def _refused(self, found: Found, error: FileRefused) -> Row:
        with self._folder.open(found) as handle:
            raw = handle.read(LARGEST_ROW + 1)
            if len(raw) > LARGEST_ROW:
                digest = hashlib.sha256(raw)
                while piece := handle.read(LARGEST_ROW):
                    digest.update(piece)
                told = {"file": found.name, "size": found.size, "sha256": digest.hexdigest()}
                raw = canonical_json(told)
        detail = f"{found.name}: the whole file is refused: {error}"
        log.warning("%s: %s", self.connection.connection, detail)
        return Row(found.name, {}, raw, ("FIELD_INVALID", detail))

    def _check_columns(
        self, table: str, found: Found, needed: set[str], each: str | None, columns: list[str]
    ) -> None:
        """A column that the mapping names and the file lacks is a mistake of one of the two, not of rows."""
        own = {name for name in needed if not (each and name.startswith(f"{each}."))}
        missing = sorted(
            name for name in own if columns and name not in columns and name.split(".")[0] not in columns
        )
        if missing:
            raise PermanentFailure(
                f"{self.connection.connection}: {found.name} (table {table!r}) has no column "
                f"{', '.join(map(repr, missing))}; it has {', '.join(columns)}.",
                remedy="Correct the column in the connection file, or ask for the file as it was agreed.",
            )

    def _index(self, mapping: ResourceMapping, name: str) -> Index:
        lookup = mapping.lookup[name]
        keys = list(lookup.match)
        columns = {each[len(name) + 1 :] for each in mapping.columns() if each.startswith(f"{name}.")}
        table = self.options.tables[lookup.table]
        if table.rows is not None:
            rows = iter([Row(lookup.table, dict(cells)) for cells in table.rows])
        else:
            needed = {*columns, *keys}
            rows = (
                row
                for found in self._files(lookup.table)
                for row in self._read(lookup.table, found, needed, None)
            )
        return index_rows(rows, name, keys, columns, frozenset(self.options.nulls))

    def _files(self, table: str) -> list[Found]:
        shape = self.options.tables[table]
        found = {each.path: each for pattern in shape.files for each in self._folder.find(pattern)}
        if not found and shape.files and not shape.optional:
            raise PermanentFailure(
                f"{self.connection.connection}: no file fits {' or '.join(shape.files)} in {self._folder.url} "
                f"(table {table!r}).",
                remedy="Put the file there, or declare the table `optional: true` if it may be missing.",
            )
        return [found[path] for path in sorted(found)]

    def _needs_newest(self, resource: str) -> bool:
        return self.options.version == "extract" and any(each.version is None for each in self._of(resource))

    def _version_of(self, found: Found) -> datetime:
        if self.options.version == "extract":
            return self._newest()
        return max(self._told_time(found.modified, found.path), self._mapped_at)

    def _newest(self) -> datetime:
        """The newest writing of any file of this extract: one version for parents and children alike.

        The mapping counts as one of the files: rows read by another mapping are another version.
        """
        times = [
            each.modified for table in self.options.tables for each in self._files(table) if each.modified
        ]
        return max(self._told_time(max(times, default=None), self._folder.url), self._mapped_at)

    def _told_time(self, modified: datetime | None, where: str) -> datetime:
        if modified is None:
            raise PermanentFailure(
                f"{self.connection.connection}: {where} does not tell when it was written.",
                remedy="Declare `version:` with a column of the file that grows with every change.",
            )
        return modified


def _written(path: Path | None) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path else EARLIEST


def _tables(mapping: ResourceMapping) -> list[str]:
    return [mapping.table, *(lookup.table for lookup in mapping.lookup.values())]
