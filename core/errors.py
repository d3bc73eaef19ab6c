"""The errors people see. Each names what is wrong and what to do; its class says whether waiting helps."""

from __future__ import annotations

from core.hush import hushed


class WaybillError(Exception):
    """Base of all handled failures (exit code 1). ``remedy`` is one sentence telling what to do.

    Neither says a secret, not even where somebody else's words are quoted that do.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        self.message, self.remedy = hushed(message), hushed(remedy)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} Remedy: {self.remedy}"


class ConfigurationError(WaybillError):
    """A setting or a file of ours is wrong: nothing was done (exit code 2)."""


class PermanentFailure(WaybillError):
    """Trying again gives the same answer: never retried."""


class TransientFailure(WaybillError):
    """Waiting may help. ``retry_after_s`` is the other side's own word on how long, in seconds."""

    def __init__(self, message: str, *, remedy: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s
