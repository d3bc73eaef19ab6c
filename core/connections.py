"""Connection files: one YAML per connected system, read strictly, refused with file, line and field.

Belongs here: the shape that all connections share. An adapter's own options are validated by the
adapter's package through ``Connection.options``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from core.errors import ConfigurationError
from core.settings import environment

M = TypeVar("M", bound=BaseModel)
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: a column ``no`` and the country ``NO`` are words, only true and false are not."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, each) for tag, each in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sla(_Strict):
    """``freshness_s``: seconds after which a source that did not answer counts as stale."""

    freshness_s: int = Field(default=86_400, gt=0)


class Destination(_Strict):
    """What Waybill may write into this system, and how that system behaves when written to.

    ``operations``: what it takes; where ``fulfilment`` is among them, no invoice goes before its confirmation; where
    ``exception_alert`` is, it hears of exceptions of its orders' shipments.
    ``two_step``: what is created is a draft, and takes effect once it is posted; false where creating posts it at once.
    ``settle_s``: longest time after sending in which a request may still take effect, in seconds.
    ``key_lifetime_s``: how long a system that enforces uniqueness remembers a key, in seconds; None: for ever.
    ``max_per_minute``: how many attempts may begin in a minute, evenly spread; None: any number.
    ``go_live_at``: proofs of delivery received before it were billed by hand.
    """

    operations: tuple[Literal["fulfilment", "invoice", "exception_alert"], ...] = ("invoice",)
    enforces_uniqueness: bool = False
    two_step: bool = True
    settle_s: float = Field(default=120.0, ge=0)
    key_lifetime_s: float | None = Field(default=None, gt=0)
    max_concurrency: int = Field(default=4, ge=1, le=64)
    max_per_minute: int | None = Field(default=None, ge=1)
    go_live_at: AwareDatetime | None = None


class Reach(_Strict):
    """Which shipments a partner may write to and read through the API, beside those it brought in itself: all of some
    connections, or those that go with some carriers or to some customers."""

    connections: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()


class Connection(_Strict):
    """One connected system. ``secrets`` maps an adapter's own word to the name of an environment variable;
    ``requested_at`` says when somebody asked for the connection; ``private_hosts``: hosts of one's own network from which
    documents may be fetched, as they stand in ``base_url``."""

    connection: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Literal["erp", "dispatch", "telematics", "pod", "wms", "tms", "crm", "carrier", "maintenance"]
    adapter: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    owner: str = Field(min_length=1)
    criticality: Literal["high", "medium", "low"] = "medium"
    lifecycle: Literal["requested", "testing", "production", "retired"] = "production"
    requested_at: AwareDatetime | None = None
    sla: Sla = Sla()
    time_zone: str = "UTC"
    as_of: AwareDatetime | None = None
    base_url: str | None = None
    private_hosts: tuple[str, ...] = ()
    secrets: dict[str, str] = Field(default_factory=dict)
    destination: Destination | None = None
    reach: Reach = Reach()
    options: dict[str, Any] = Field(default_factory=dict)
    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        """The file it was read from; None for one that was made in memory."""
        return self._file

    def secret_named(self, word: str) -> str:
        """The environment variable of one of the adapter's secrets; ConfigurationError when the file names none."""
        if word not in self.secrets:
            raise ConfigurationError(
                f"{self.file or self.connection}: the secret {word} has no name.",
                remedy=f"Add `secrets: {{{word}: NAME}}` to the file of {self.connection}: the environment variable that holds it.",
            )
        return self.secrets[word]


@dataclass(frozen=True)
class Problem:
    """Something wrong at ``location`` (keys and list positions) that only an adapter can know."""

    location: tuple[int | str, ...]
    expected: str
    found: object


def load_connections(folder: Path) -> tuple[Connection, ...]:
    """Every ``*.yaml`` of a folder, by name. ConfigurationError when one is broken or two share a name."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigurationError(
            f"No connection file in {folder}.",
            remedy="Point WAYBILL_CONNECTIONS at a folder of *.yaml.",
        )
    loaded: dict[str, Connection] = {}
    for path in files:
        connection = read_yaml(path, Connection)
        connection._file = path
        if connection.connection in loaded:
            raise ConfigurationError(
                f"{path}: the connection {connection.connection!r} is defined twice.",
                remedy="Give each file a name of its own under `connection:`.",
            )
        loaded[connection.connection] = connection
    return tuple(loaded.values())


def read_yaml(path: Path, model: type[M]) -> M:
    """The file as ``model``; ConfigurationError says file, line, field, what was expected and found."""
    tree, raw = _parse(path)
    return validate_at(path, tree, raw, model)


def options_of(
    connection: Connection, model: type[M], check: Callable[[M], Iterable[Problem]] = lambda _: ()
) -> M:
    """``options:`` as an adapter's own ``model``, then its ``check``; told like every other field."""
    path = connection.file
    if path is None:
        return _checked(Path(connection.connection), None, connection.options, model, check)
    tree, _ = _parse(path)
    return _checked(path, tree, connection.options, model, check)


def _checked(
    path: Path,
    tree: yaml.Node | None,
    raw: object,
    model: type[M],
    check: Callable[[M], Iterable[Problem]],
) -> M:
    options = validate_at(path, tree, raw, model, prefix=("options",))
    problems = list(check(options))
    if problems:
        raise _refusal(path, tree, [Problem(("options", *p.location), p.expected, p.found) for p in problems])
    return options


def _parse(path: Path) -> tuple[yaml.Node | None, object]:
    text = _expand(path, path.read_text(encoding="utf-8"))
    try:
        return yaml.compose(text, Loader=_Loader), yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ConfigurationError(
            f"{path}:{line}: not YAML: {getattr(error, 'problem', error)}.",
            remedy="Mend the line; indentation is two spaces, and a colon is followed by a space.",
        ) from error


def validate_at(
    path: Path, tree: yaml.Node | None, raw: object, model: type[M], prefix: tuple[int | str, ...] = ()
) -> M:
    """``raw``, which stands in the file under ``prefix``, as ``model``; errors name the line."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems = [
            Problem((*prefix, *each["loc"]), _expectation(each["type"], each["msg"]), each["input"])
            for each in found
            if not any(_is_inside(other["loc"], each["loc"]) for other in found)
        ]
        raise _refusal(path, tree, problems) from error


def _is_inside(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    """A list whose item is wrong is also told to be too short: the item alone is the mistake."""
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _expectation(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "no field of this name"
    text = message.removeprefix("Value error, ").removeprefix("Input should be ")
    return text[0].lower() + text[1:]


def _refusal(path: Path, tree: yaml.Node | None, problems: list[Problem]) -> ConfigurationError:
    told = [
        f"{path}:{_line(tree, each.location)}: {'.'.join(map(str, each.location)) or 'file'}: "
        f"expected {each.expected}, found {_short(each.found)}"
        for each in problems
    ]
    return ConfigurationError(
        "; ".join(told) + ".", remedy="Correct the field; docs/adding-a-source.md lists them all."
    )


def _expand(path: Path, text: str) -> str:
    """Replace ``${NAME:-default}`` by the environment, so that folders and ports need no edited file."""
    known: Mapping[str, str] = environment()

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if name in known:
            return known[name]
        if default is not None:
            return default
        line = text.count("\n", 0, match.start()) + 1
        raise ConfigurationError(
            f"{path}:{line}: the variable {name} is not set and has no default.",
            remedy=f"Set {name} in the environment.",
        )

    return _VARIABLE.sub(value, text)


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line of the deepest part of ``location`` that the file has; of its parent when a key is missing."""
    if node is None:
        return 1
    line: int = node.start_mark.line + 1
    for step in location:
        child: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, content in node.value:
                if key.value == str(step):
                    line, child = key.start_mark.line + 1, content
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            child = node.value[step]
            line = node.value[step].start_mark.line + 1
        if child is None:
            return line
        node = child
    return line


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
