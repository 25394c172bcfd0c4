"""The passphrase path: Argon2id turns a passphrase into the key that wraps the master key."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.secrets.master import KEY_BYTES, MasterKey

MEMORY_KIB, PASSES, LANES = 65_536, 3, 4
"""RFC 9106's second recommended setting with more lanes; about 0.2 s on a laptop."""

_MAX_MEMORY_KIB, _MAX_PASSES, _MAX_LANES = 4 * 1024 * 1024, 64, 64
_CONTEXT = b"plantroom/master-key"


class WrongPassphrase(Exception):
    """The passphrase does not open the file, or the file was changed."""


def wrap(master: MasterKey, passphrase: str) -> dict[str, Any]:
    """The wrapped key with the parameters that open it again, ready for JSON."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    closing = AESGCM(_stretch(passphrase, salt, MEMORY_KIB, PASSES, LANES))
    return {
        "kdf": "argon2id",
        "memory_kib": MEMORY_KIB,
        "passes": PASSES,
        "lanes": LANES,
        "salt": base64.b64encode(salt).decode(),
        "wrapped": base64.b64encode(
            nonce + closing.encrypt(nonce, master.expose(), _CONTEXT)
        ).decode(),
    }


def unwrap(section: dict[str, Any], passphrase: str) -> MasterKey:
    """The master key again.

    Raises:
        WrongPassphrase: it does not open.
    """
    try:
        memory, passes, lanes = (int(section[k]) for k in ("memory_kib", "passes", "lanes"))
        if not (memory <= _MAX_MEMORY_KIB and passes <= _MAX_PASSES and lanes <= _MAX_LANES):
            raise WrongPassphrase
        raw = base64.b64decode(section["wrapped"], validate=True)
        salt = base64.b64decode(section["salt"], validate=True)
        opening = AESGCM(_stretch(passphrase, salt, memory, passes, lanes))
        return MasterKey(opening.decrypt(raw[:12], raw[12:], _CONTEXT))
    except (KeyError, TypeError, ValueError, InvalidTag):
        raise WrongPassphrase from None


def _stretch(passphrase: str, salt: bytes, memory_kib: int, passes: int, lanes: int) -> bytes:
    # What an environment holds need not be UTF-8; the same bytes always open it again.
    text = passphrase.encode("utf-8", "surrogateescape")
    return hash_secret_raw(text, salt, passes, memory_kib, lanes, KEY_BYTES, Type.ID)
