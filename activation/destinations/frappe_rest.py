"""Calls to ERPNext's REST interface: how they are made, and what the ending of a call proves.

Belongs here: what holds for every document. Which documents, and what they say, is ``erp_frappe``.

A push makes thousands of calls to one address, so they are made through ``httpx``'s own pool of connections, ``httpcore``: the
client around it would parse the address anew, look for cookies and be ready to be sent elsewhere each time, more than half
of what a call takes.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, partial
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from activation.destinations.base import NotAppliedError, RefusedError, UncertainError
from activation.destinations.retry_after import retry_after_s
from core.connections import Connection
from core.errors import ConfigurationError
from core.settings import secret

_WAITS = httpx.Timeout(20.0, connect=5.0).as_dict()
_IDLE_S = 5.0
"""A connection that was idle for so long is not used again: what stands in between may have forgotten it."""
_UNANSWERED = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)
_HTTP_TOO_MANY, _HTTP_UNAVAILABLE = 429, 503


class FrappeRest:
    """One ERPNext site, as the user of the secrets ``api_key`` and ``api_secret``. Safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        if connection.base_url is None:
            raise ConfigurationError(
                f"{connection.connection} has no base_url.", remedy="Add the site's address to its file."
            )
        self._name = connection.connection
        site = httpx.URL(connection.base_url)
        self._prefix = site.raw_path.rstrip(b"/") + b"/api/resource/"
        self._site = partial(httpcore.URL, scheme=site.raw_scheme, host=site.raw_host, port=site.port)
        key = secret(connection.secret_named("api_key")).get_secret_value()
        password = secret(connection.secret_named("api_secret")).get_secret_value()
        self._asking = [
            (b"Host", site.netloc),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),
            (b"Authorization", f"token {key}:{password}".encode()),
        ]
        self._telling = [*self._asking, (b"Content-Type", b"application/json")]
        self._pool = _pool_to(site)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def listed(self, doctype: str, **asked: str) -> list[dict[str, Any]]:
        """Documents of a list; the parameters are ERPNext's."""
        answer = self._call("GET", f"{quote(doctype)}?{urlencode(asked)}")
        if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
            raise self.unreadable()
        return answer

    def one(self, doctype: str, name: str) -> dict[str, Any]:
        """A document with all its fields."""
        return self._document("GET", f"{quote(doctype)}/{quote(name)}", None)

    def create(self, doctype: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The document that is made of a body."""
        return self._document("POST", quote(doctype), body)

    def change(self, doctype: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The document as it is after the change."""
        return self._document("PUT", f"{quote(doctype)}/{quote(name)}", body)

    def unreadable(self) -> UncertainError:
        """The error for an answer that is not what ERPNext sends."""
        return UncertainError(
            f"{self._name} answers with something that is not its own JSON.",
            remedy="Check that no proxy or login page stands between us and the ERP.",
        )

    def _document(self, method: str, target: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        answer = self._call(method, target, body)
        if not isinstance(answer, dict):
            raise self.unreadable()
        return answer

    def _call(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> Any:
        """The ``data`` of one answer, or the one error that says what is certain."""
        try:
            response = self._pool.request(
                method,
                self._site(target=self._prefix + target.encode("ascii")),
                headers=self._asking if body is None else self._telling,
                content=None if body is None else json.dumps(body).encode(),
                extensions={"timeout": _WAITS},
            )
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise NotAppliedError(
                f"{self._name} does not accept connections: {error}.",
                remedy="Check that the ERP is up; the push goes on by itself.",
            ) from error
        except _UNANSWERED as error:
            raise UncertainError(
                f"{self._name} gave no answer to {method}: {type(error).__name__}.",
                remedy="Nothing: the next push looks the invoice up before it sends anything.",
            ) from error
        return self._read(method, response)

    def _read(self, method: str, response: httpcore.Response) -> Any:
        status = response.status
        if status in {_HTTP_TOO_MANY, _HTTP_UNAVAILABLE}:
            raise NotAppliedError(
                f"{self._name} answers {status}: it wants fewer calls.",
                remedy="Nothing: the push waits as long as it was told.",
                retry_after_s=retry_after_s(httpx.Headers(response.headers)),
            )
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise NotAppliedError(
                f"{self._name} refuses our credentials ({status}).",
                remedy="Check the API key and the rights of its user on Sales Invoice.",
            )
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise UncertainError(
                f"{self._name} answers {status} to {method}.",
                remedy="Look at the ERP's error log; the next push looks the invoice up first.",
            )
        if status >= httpx.codes.MULTIPLE_CHOICES:
            raise RefusedError(
                f"{self._name} refuses {method}: {status} {_reason(response)}",
                remedy="Correct the master data that the ERP names, then let the gate decide again.",
            )
        try:
            return json.loads(response.content, parse_float=Decimal)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise self.unreadable() from error


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed: read from the disk once, and not by each push."""
    return httpx.create_ssl_context()


def _pool_to(site: httpx.URL) -> httpcore.ConnectionPool:
    """As many connections to a site as there are calls at a time, through the proxy that the environment names."""
    named = _proxy_to(site)
    if named is None:
        return httpcore.ConnectionPool(_trusted(), max_connections=None, keepalive_expiry=_IDLE_S)
    proxy = httpx.Proxy(named)
    return httpcore.HTTPProxy(
        str(proxy.url),
        proxy.raw_auth,
        ssl_context=_trusted(),
        max_connections=None,
        keepalive_expiry=_IDLE_S,
    )


def _proxy_to(site: httpx.URL) -> str | None:
    """The proxy that the environment names for a site, as for every other program."""
    return None if proxy_bypass(site.host) else getproxies().get(site.scheme)


def _reason(response: httpcore.Response) -> str:
    """ERPNext's own words, without its stack trace."""
    try:
        told = json.loads(response.content)
    except ValueError:
        return "(no reason given)"
    told = told if isinstance(told, dict) else {}
    return str(told.get("exception") or told.get("message") or told.get("exc_type") or "")[:300]
