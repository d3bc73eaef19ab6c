"""Asking a source over HTTP: what is worth a second try, what is a failure, and what time it is over there.

Belongs here: transport, retries and the refusal of answers that are not whole JSON. Paging and meaning are
the adapters' part. No message ever holds a header or a query, so that no secret gets out.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import stamina

from core.connections import Connection
from core.errors import ConfigurationError
from core.hush import keep_quiet
from ingestion.base import SourceFailure
from ingestion.public_only import PublicTransport
from ingestion.strict_json import JsonRefused, answer

ATTEMPTS = 4
LONGEST_WAIT_S = 20.0
TIMEOUT = httpx.Timeout(60.0, connect=5.0)
LARGEST_ANSWER = 256 * 1024 * 1024
PATIENCE = 8
"""Of what is too large, up to so many times the limit is read, unpacked, for its hash and size."""

# httpx logs whole addresses, and a signed address is a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)


class _TryAgain(Exception):
    """An answer after which waiting may help; ``wait_s`` is the source's own word on how long."""

    def __init__(self, what: str, wait_s: float | None = None) -> None:
        super().__init__(what)
        self.what, self.wait_s = what, wait_s


class TooLarge(Exception):
    """A file beyond the limit: ``str`` tells its size and hash, and nothing else of it is kept."""


@dataclass(frozen=True)
class _Answer:
    """Status, headers and body; ``excess`` tells size and hash of a body that is too large to hold."""

    status: int
    headers: httpx.Headers
    content: bytes
    excess: str | None


class HttpSource:
    """One connection's HTTP API. ``clock`` is the source's time at its last answer (header ``Date``)."""

    def __init__(self, connection: Connection, authorization: str) -> None:
        if not connection.base_url:
            raise ConfigurationError(
                f"{connection.connection}: base_url is missing.",
                remedy="Add base_url: to the connection file.",
            )
        self.name = connection.connection
        self.base_url = connection.base_url
        self.clock: datetime | None = None
        keep_quiet(authorization.partition(" ")[2])
        common: dict[str, Any] = {
            "base_url": connection.base_url,
            "headers": {"Authorization": authorization, "Accept": "application/json"},
            "timeout": TIMEOUT,
            "follow_redirects": False,
            "trust_env": False,
        }
        self._client = httpx.Client(**common)
        # Which file is fetched is said by what came, so its host is looked at.
        self._files = httpx.Client(**common, transport=PublicTransport(connection.private_hosts))

    def get_json(self, path: str, parameters: Mapping[str, str | int]) -> dict[str, Any]:
        """The JSON object at ``path``; numbers with a point are Decimal. SourceFailure when there is none."""
        return self._object(path, self._get(path, parameters))

    def get_list(self, path: str, parameters: Mapping[str, Any]) -> list[Any]:
        """The JSON list at ``path``; a parameter that is a list is given several times."""
        document = self._json(path, self._get(path, parameters))
        if not isinstance(document, list):
            raise self._failure(path, "sent JSON that is no list", "Check base_url and the API's version.")
        return document

    def get_page(
        self, path: str, parameters: Mapping[str, str | int]
    ) -> tuple[dict[str, Any], dict[str, str] | None]:
        """The same, and the parameters of the page that the answer's ``Link`` names as the next one."""
        response = self._get(path, parameters)
        link = httpx.Response(response.status, headers=response.headers).links.get("next")
        following = dict(httpx.URL(link["url"]).params) if link else None
        return self._object(path, response), following

    def _object(self, path: str, response: _Answer) -> dict[str, Any]:
        document = self._json(path, response)
        if not isinstance(document, dict):
            raise self._failure(path, "sent JSON that is no object", "Check base_url and the API's version.")
        return document

    def _json(self, path: str, response: _Answer) -> Any:
        if response.excess:
            raise self._failure(path, f"sent {response.excess}", "Ask the source's owner why.")
        kind = response.headers.get("content-type", "")
        if "json" not in kind:
            raise self._failure(
                path, f"answered {kind or 'without a content type'} instead of JSON",
                "Open the address in a browser: a login page or a proxy may stand in front of the API.",
            )  # fmt: skip
        try:
            return answer(response.content)
        except JsonRefused as error:
            raise self._failure(
                path, f"sent an answer that is not whole JSON ({error})",
                "Run again; if it stays, ask the source's owner whether answers are cut on the way.",
            ) from error  # fmt: skip

    def get_file(self, address: str, largest: int) -> tuple[int, bytes, str]:
        """Status, bytes and declared type of a file; 403, 404 and 410 are answers too. Never redirected.

        TooLarge when it has more than ``largest`` bytes, packed or not: one file never stops a source. PrivateAddress when its
        host is in a private network that the connection file does not name.
        """
        response = self._get(address, {}, answers=(200, 403, 404, 410), largest=largest, client=self._files)
        if response.excess:
            raise TooLarge(response.excess)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return response.status, response.content, kind

    def rows(self, path: str, document: Mapping[str, Any], name: str) -> list[Any]:
        """The list ``name`` of an answer; SourceFailure when the answer has none."""
        found = document.get(name)
        if not isinstance(found, list):
            raise self._failure(path, f"sent an answer without the list {name!r}", "Check the API's version.")
        return found

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._files.close()

    def _get(
        self,
        path: str,
        parameters: Mapping[str, str | int],
        answers: tuple[int, ...] = (200,),
        largest: int = LARGEST_ANSWER,
        client: httpx.Client | None = None,
    ) -> _Answer:
        try:
            for attempt in stamina.retry_context(
                on=_wait, attempts=ATTEMPTS, timeout=90.0, wait_initial=0.2, wait_max=5.0
            ):
                with attempt:
                    return self._once(client or self._client, path, parameters, answers, largest)
        except _TryAgain as error:
            raise self._failure(
                path, f"{error.what}, {ATTEMPTS} times",
                "Wait until the source is up again, then run again: the next run goes on where this one stopped.",
            ) from error  # fmt: skip
        raise AssertionError("stamina ends with an answer or an exception")

    def _once(
        self,
        client: httpx.Client,
        path: str,
        parameters: Mapping[str, str | int],
        answers: tuple[int, ...],
        largest: int,
    ) -> _Answer:
        try:
            with client.stream("GET", path, params=dict(parameters) or None) as response:
                content, excess = _read(response, largest)
        except httpx.TimeoutException as error:
            raise _TryAgain("did not answer in time") from error
        except httpx.RemoteProtocolError as error:
            raise _TryAgain("cut its answer off") from error
        except httpx.TransportError as error:
            raise _TryAgain("could not be reached") from error
        except httpx.DecodingError as error:
            raise self._failure(
                path,
                "sent an answer that cannot be unpacked",
                "Ask the source's owner whether a proxy packs it.",
            ) from error
        self._note_clock(response)
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= 500:
            raise _TryAgain(f"answered {status}", _retry_after(response))
        if status in (401, 403) and status not in answers:
            raise self._failure(
                path, f"answered {status}: the credentials were refused",
                "Renew the secrets that the connection file names, then run again.",
            )  # fmt: skip
        if status not in answers:
            raise self._failure(path, f"answered {status}", "Check base_url and the API's version.")
        return _Answer(status, response.headers, content, excess)

    def _note_clock(self, response: httpx.Response) -> None:
        try:
            self.clock = parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return

    def _failure(self, path: str, what: str, remedy: str) -> SourceFailure:
        asked = httpx.URL(self.base_url).join(path).copy_with(query=None, userinfo=b"")
        return SourceFailure(f"{self.name}: {asked} {what}.", remedy=remedy)


def _read(response: httpx.Response, largest: int) -> tuple[bytes, str | None]:
    """The unpacked body; of one that is too large nothing but its size and hash, in words."""
    digest, size, pieces = hashlib.sha256(), 0, []
    for piece in response.iter_bytes():
        size += len(piece)
        digest.update(piece)
        if size <= largest:
            pieces.append(piece)
        elif size > largest * PATIENCE:
            return b"", f"more than {size} bytes, at most {largest} are taken"
        else:
            pieces.clear()
    if size > largest:
        return b"", f"{size} bytes (SHA-256 {digest.hexdigest()}), at most {largest} are taken"
    return b"".join(pieces), None


def _wait(error: Exception) -> bool | float:
    """Whether to try again, and when the source said so itself, after how many seconds."""
    if not isinstance(error, _TryAgain):
        return False
    return True if error.wait_s is None else min(error.wait_s, LONGEST_WAIT_S)


def _retry_after(response: httpx.Response) -> float | None:
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
