"""Files outside the database, sealed with a key derived from the profile's."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class Box:
    """AES-256-GCM under a key of its own purpose. Without a key content passes through."""

    def __init__(self, key: bytes | None, purpose: str) -> None:
        self._purpose = purpose.encode()
        self._cipher: AESGCM | None = None
        if key is not None:
            derived = HKDF(SHA256(), 32, None, b"plantroom " + self._purpose).derive(key)
            self._cipher = AESGCM(derived)

    def seal(self, content: bytes) -> bytes:
        """Nonce and ciphertext."""
        if self._cipher is None:
            return content
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, self._purpose)

    def open(self, sealed: bytes) -> bytes | None:
        """The content; None when it was changed or sealed with another key."""
        if self._cipher is None:
            return sealed
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._purpose)
        except (InvalidTag, ValueError):
            return None
