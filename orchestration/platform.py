"""What every asset is handed: the settings, the connections and the state store of this installation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg

from core.connections import Connection, load_connections
from core.settings import Settings
from orchestration.run_processes import held

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Platform:
    """One installation. Connections are read when first asked for, the state store likewise."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def connections(self) -> tuple[Connection, ...]:
        return load_connections(self.settings.connections_dir)

    @cached_property
    def engine(self) -> Engine:
        from state.engine import open_state

        return open_state(self.settings)

    def of_kind(self, kind: str) -> Sequence[Connection]:
        """The live connections of one kind, in the order of their names."""
        return [each for each in self.connections if each.kind == kind and each.lifecycle != "retired"]

    @property
    def destinations(self) -> Sequence[Connection]:
        """The connections that Waybill may write to."""
        return [each for each in self.connections if each.destination is not None]


class PlatformResource(dg.ConfigurableResource[Platform]):
    """Hands the one :class:`Platform` of this process to assets as ``platform``, and says that the run's process lives."""

    home: str
    connections: str
    profile: str

    @classmethod
    def of(cls, settings: Settings) -> PlatformResource:
        """The resource for these settings; paths become text, because Dagster stores its config."""
        return cls(
            home=str(settings.root), connections=str(settings.connections_dir), profile=settings.profile
        )

    def create_resource(self, context: dg.InitResourceContext) -> Platform:
        return Platform(
            Settings.model_validate(
                {"home": self.home, "connections": self.connections, "profile": self.profile}
            )
        )

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Platform]:
        """The platform while the run runs."""
        platform = self.create_resource(context)
        if context.run_id is None:
            yield platform
            return
        with held(platform.settings.dagster_home, context.run_id):
            yield platform
