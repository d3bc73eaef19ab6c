"""Keeping secrets out of what is said: whatever was handed out as one is taken out of every message of an error.

A system that is asked may repeat what it was sent, credentials and all, in the very words that Waybill passes on. Belongs
here: knowing what must not be said. Who hands secrets out tells it here.
"""

from __future__ import annotations

SHORTEST = 8
"""A shorter secret would take words out of every sentence, and is none."""
_TOLD = "***"
_secrets: set[str] = set()


def keep_quiet(*secrets: str) -> None:
    """Never let these be said from now on. Forms of a secret, such as an encoded pair, are secrets of their own."""
    _secrets.update(each for each in secrets if len(each) >= SHORTEST)


def hushed(text: str) -> str:
    """The text with ``***`` for every secret in it."""
    for each in sorted(_secrets, key=len, reverse=True):
        text = text.replace(each, _TOLD)
    return text
