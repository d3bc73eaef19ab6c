"""Calls to Tryton over JSON-RPC: the session, and what the ending of a call proves.

Belongs here: what holds for every model. Which are called, and with what, is ``erp_tryton``.

Tryton answers a refusal with HTTP 200 and an ``error`` that begins with the refusal's name. It says 503 where its
database did not let it go on, and what stands in front of it says 503 as well, also of a call that took effect: only
a 503 that quotes the database on a lock is proven to have been rolled back.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from threading import Lock
from typing import Any, NoReturn

import httpx

from activation.destinations.base import NotAppliedError, RefusedError, UncertainError
from activation.destinations.retry_after import retry_after_s
from core.connections import Connection
from core.errors import ConfigurationError
from core.hush import keep_quiet
from core.settings import secret, user_name
from core.tryton import decoded

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_ROLLED_BACK = (
    "could not obtain lock",
    "could not serialize access",
    "deadlock detected",
    "database is locked",
)
"""What PostgreSQL and SQLite say when they gave a transaction up."""
_ANSWERED = ("invoice_date_future", "invoice_taxes", "invoice_payment_term")
"""Questions that Tryton puts to a person at the screen and that the gate has judged: day, taxes, terms of payment."""


class _SignInAgain(Exception):
    """The session is over: the call was not looked at."""


class _Question(Exception):
    """Tryton asks before it goes on; ``name`` is what an acknowledgement refers to."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.name = name


@dataclass(frozen=True)
class _Session:
    authorization: str
    context: Mapping[str, Any]


class TrytonRpc:
    """One database of a Tryton server, as the user of the secrets ``login`` and ``password``. Safe for threads."""

    def __init__(self, connection: Connection) -> None:
        if connection.base_url is None:
            raise ConfigurationError(
                f"{connection.connection} has no base_url.",
                remedy="Add the server's address with the name of the database: https://erp.example/company.",
            )
        self._name = connection.connection
        self._url = connection.base_url.rstrip("/") + "/rpc/"
        self._login = user_name(connection.secret_named("login"))
        self._password = secret(connection.secret_named("password"))
        self._client = httpx.Client(
            headers={"Accept": "application/json"}, timeout=_TIMEOUT, follow_redirects=False
        )
        self._session: _Session | None = None
        self._signing_in = Lock()

    def read(self, method: str, *params: Any) -> Any:
        """The result of a call that changes nothing; the errors of ``base`` otherwise."""
        return self._as_user(method, params, {"company_filter": "all"}, changes=False)

    def change(self, method: str, *params: Any, company: int) -> Any:
        """The result of a call that changes something, in the context of a company (its record id)."""
        asked: set[str] = set()
        while True:
            try:
                return self._as_user(method, params, {"company": company}, changes=True)
            except _Question as question:
                _, _, kind = question.name.partition(".")
                if kind not in _ANSWERED or question.name in asked:
                    raise RefusedError(
                        f"{self._name} asks before it goes on: {question}",
                        remedy="Settle in Tryton what it asks about, then let the row be sent again.",
                    ) from question
                asked.add(question.name)
                self._acknowledge(question.name, company)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def unreadable(self) -> UncertainError:
        """The error for an answer that is not what Tryton sends."""
        return UncertainError(
            f"{self._name} answers with something that is not Tryton's JSON.",
            remedy="Check that no proxy or login page stands between us and the server.",
        )

    def _acknowledge(self, question: str, company: int) -> None:
        # It allows one thing to be asked for, and does nothing to the books.
        self._as_user("model.res.user.warning.skip", (question, False), {"company": company}, changes=False)

    def _as_user(
        self, method: str, params: tuple[Any, ...], context: dict[str, Any], *, changes: bool
    ) -> Any:
        session = self._signed_in(None)
        for _ in range(2):
            told = [*params, {**session.context, **context}]
            try:
                return self._call(method, told, session.authorization, changes=changes)
            except _SignInAgain:
                session = self._signed_in(session)
        raise self._not_let_in()

    def _signed_in(self, over: _Session | None) -> _Session:
        """The session that all threads share; a new one when there is none, or when it is the one that is ``over``."""
        with self._signing_in:
            if self._session is None or self._session is over:
                self._session = self._sign_in()
            return self._session

    def _sign_in(self) -> _Session:
        try:
            parameters = {"password": self._password.get_secret_value()}
            user, token, *_ = self._call("common.db.login", [self._login, parameters], None, changes=False)
            words = base64.b64encode(f"{self._login}:{user}:{token}".encode()).decode()
            keep_quiet(str(token), words)
            authorization = f"Session {words}"
            context = self._call("model.res.user.get_preferences", [True, {}], authorization, changes=False)
            return _Session(authorization, {name: context[name] for name in ("language", "companies")})
        except (_SignInAgain, RefusedError) as error:
            raise self._not_let_in() from error
        except (KeyError, TypeError, ValueError) as error:
            raise self.unreadable() from error

    def _call(self, method: str, params: list[Any], authorization: str | None, *, changes: bool) -> Any:
        try:
            response = self._client.post(
                self._url,
                json={"id": 1, "method": method, "params": params},
                headers={"Authorization": authorization} if authorization else {},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotAppliedError(
                f"{self._name} does not accept connections: {error}.",
                remedy="Check that Tryton is up; the push goes on by itself.",
            ) from error
        except httpx.HTTPError as error:
            raise UncertainError(
                f"{self._name} gave no answer to {method}: {type(error).__name__}.",
                remedy="Nothing: the next push looks the invoice up before it sends anything.",
            ) from error
        if response.status_code != httpx.codes.OK:
            self._raise_status(method, response, changes=changes)
        return self._result(method, response)

    def _raise_status(self, method: str, response: httpx.Response, *, changes: bool) -> NoReturn:
        status = response.status_code
        if status == httpx.codes.UNAUTHORIZED:
            raise _SignInAgain
        if status == httpx.codes.FORBIDDEN:
            raise self._not_let_in()
        is_busy = status == httpx.codes.SERVICE_UNAVAILABLE and (not changes or _is_rolled_back(response))
        if is_busy or status == httpx.codes.TOO_MANY_REQUESTS:
            raise NotAppliedError(
                f"{self._name} answers {status} to {method}: it has too much to do.",
                remedy="Nothing: the push goes on by itself.",
                retry_after_s=retry_after_s(response.headers),
            )
        raise UncertainError(
            f"{self._name} answers {status} to {method}.",
            remedy="404: check the database's name in base_url. Otherwise look at Tryton's log; "
            "the next push looks the invoice up first.",
        )

    def _result(self, method: str, response: httpx.Response) -> Any:
        try:
            answer = json.loads(response.content, parse_float=Decimal)
            if "error" not in answer:
                return decoded(answer["result"])
            name, *told = answer["error"]
        except (ValueError, KeyError, TypeError, ArithmeticError) as error:
            raise self.unreadable() from error
        words = [each for each in (told[0] if told and isinstance(told[0], list) else told) if each]
        if name == "UserWarning" and words:
            raise _Question(str(words[0]), _short(words[1:2]))
        if name == "UserError":
            raise RefusedError(
                f"{self._name} refuses {method}: {_short(words[:2])}",
                remedy="Correct the record that Tryton names, then let the gate decide again.",
            )
        if name == "ConcurrencyException":
            raise NotAppliedError(
                f"{self._name}: somebody else changed the record of {method} at this moment.",
                remedy="Nothing: the push goes on by itself.",
            )
        if name == "LoginException":
            raise self._not_let_in()
        raise UncertainError(
            f"{self._name} failed at {method}: {_short([name])}",
            remedy="Look at Tryton's log; the next push looks the invoice up first.",
        )

    def _not_let_in(self) -> NotAppliedError:
        return NotAppliedError(
            f"{self._name} refuses our credentials, or the user's rights are too small.",
            remedy="Check login and password, and that the user is in the groups that docs/tryton.md names.",
        )


def _is_rolled_back(response: httpx.Response) -> bool:
    return any(each in response.text for each in _ROLLED_BACK)


def _short(words: list[Any]) -> str:
    return " ".join(str(each) for each in words)[:300]
