"""The key that signs the ledger's head: Ed25519, made at first use, in a file that only its owner may read.

Belongs here: the key and its signatures. What is signed is ``heads``.
"""

from __future__ import annotations

import os
from binascii import Error as NotHex
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.errors import ConfigurationError

_OTHERS = 0o077


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key of this home, made when there is none; ConfigurationError when others may read it."""
    if not path.exists():
        # Two that make one at once: the first to link its file in has made the key.
        with suppress(FileExistsError):
            _make(path)
    if path.stat().st_mode & _OTHERS:
        raise ConfigurationError(
            f"{path} can be read by others: whoever read it can sign a forged ledger.",
            remedy=f"chmod 600 {path}; if somebody may have read it, move it away: a new key is made.",
        )
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise _unusable(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path)
    return key


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half: 64 hex digits, which is what an auditor keeps."""
    return key.public_key().public_bytes_raw().hex()


def is_signed(public: str, data: bytes, signature: str) -> bool:
    """Whether ``signature`` (hex) over ``data`` was made by the key whose public half is ``public``."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, NotHex, ValueError):
        return False
    return True


def _make(path: Path) -> None:
    """Write it under another name, synced, then link it in: no reader ever sees half a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    finally:
        fresh.unlink()


def _unusable(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path} holds no Ed25519 key.", remedy="Move it away: a new key is made and named in the ledger."
    )
