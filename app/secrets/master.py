"""The master key and what is derived from it; it never shows itself."""

from __future__ import annotations

import hmac
import secrets
from typing import Never

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class MasterKey:
    """32 random bytes from which every key of a profile is derived.

    It has no repr that shows it and cannot be pickled or copied, so it cannot wander into a log,
    a crash report or another process by accident.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"A master key has {KEY_BYTES} bytes.")
        self._key = key

    @classmethod
    def random(cls) -> MasterKey:
        """A new key from the system's generator."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (HKDF-SHA256, RFC 5869); purposes cannot learn each other."""
        info = b"plantroom/" + purpose.encode()
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self._key)

    def check(self) -> str:
        """A fingerprint that tells a right key from a wrong one and nothing about it."""
        return self.derive("check")[:8].hex()

    def matches(self, check: str) -> bool:
        """Whether `check` was made by this key."""
        return hmac.compare_digest(self.check(), check)

    def expose(self) -> bytes:
        """The bytes themselves, for custody alone: the key store and the passphrase file."""
        return self._key

    def __repr__(self) -> str:
        return "MasterKey(...)"

    def __reduce__(self) -> Never:
        raise TypeError("A master key is not written anywhere.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MasterKey) and hmac.compare_digest(self._key, other._key)

    __hash__ = None  # type: ignore[assignment]
