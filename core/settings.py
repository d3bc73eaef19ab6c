"""The only reader of the environment: where the data lives, which connections, and secrets by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import ConfigurationError
from core.hush import keep_quiet

ROOT = Path(__file__).resolve().parent.parent
"""The project's own folder: connection examples and the dbt project are found from here."""


class Settings(BaseSettings):
    """``WAYBILL_HOME``, ``WAYBILL_CONNECTIONS``, ``WAYBILL_PROFILE``: every path below follows from them.

    ``WAYBILL_STATE_URL`` names the PostgreSQL database that holds the state; without it a file of the home does.
    ``WAYBILL_MQTT_URL``, ``_USER`` and ``_PASSWORD``: the broker whose messages ``python -m api.mqtt`` takes in.
    ``WAYBILL_API_KEY_RATE``, ``WAYBILL_API_ADDRESS_RATE``: requests a minute that the API takes of a key and of an address.
    ``WAYBILL_INBOX_DAYS``: how long ``waybill inbox prune`` keeps the bytes of what partners sent.
    """

    model_config = SettingsConfigDict(env_prefix="WAYBILL_", frozen=True)

    home: Path = Field(default=Path("data"))
    connections: Path = Field(default=Path("connections/sandbox"))
    profile: Literal["local", "server"] = "local"
    state_url: SecretStr | None = None
    mqtt_url: SecretStr | None = None
    mqtt_user: str | None = None
    mqtt_password: SecretStr | None = None
    api_key_rate: int = Field(default=1200, ge=1)
    api_address_rate: int = Field(default=3000, ge=1)
    inbox_days: int = Field(default=90, ge=90)

    @property
    def root(self) -> Path:
        return self.home.resolve()

    @property
    def connections_dir(self) -> Path:
        """As given when it exists from here, else from the project's folder."""
        if self.connections.is_absolute() or self.connections.exists():
            return self.connections.resolve()
        return (ROOT / self.connections).resolve()

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def serving(self) -> Path:
        return self.root / "serving" / "marts.duckdb"

    @property
    def state(self) -> Path:
        """The state store where ``state_url`` names no other."""
        return self.root / "state.sqlite"

    @property
    def ledger_heads(self) -> Path:
        return self.root / "ledger" / "heads.jsonl"

    @property
    def ledger_key(self) -> Path:
        return self.root / "ledger" / "signing.key"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def evidence(self) -> Path:
        return self.root / "evidence"

    @property
    def dlt_dir(self) -> Path:
        return self.root / "dlt"

    @property
    def dbt_target(self) -> Path:
        return self.root / "dbt_target"

    @property
    def dagster_home(self) -> Path:
        return self.root / "dagster"

    @property
    def dbt_docs(self) -> Path:
        return self.root / "docs" / "index.html"

    @property
    def worker_note(self) -> Path:
        """Written by the worker when it is ready, gone when it has ended in peace."""
        return self.root / "worker.json"

    @property
    def data_docs(self) -> Path:
        return self.root / "data_docs"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()


def environment() -> Mapping[str, str]:
    """The process environment, for ``${NAME:-default}`` in connection files."""
    return os.environ


def secret(name: str) -> SecretStr:
    """The secret that a connection file names; ConfigurationError names the variable, never a value."""
    value = user_name(name)
    keep_quiet(value)
    return SecretStr(value)


def user_name(name: str) -> str:
    """The same for the name that belongs to a password, which may be said."""
    value = os.environ.get(name)
    if not value:
        raise ConfigurationError(
            f"The secret {name} is not set.",
            remedy=f"Set {name} in the environment (see .env.example).",
        )
    return value
