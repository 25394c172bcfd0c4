"""Sealing of single fields: local keys and door codes stay closed in dumps, exports and bundles."""

from __future__ import annotations

import base64
import secrets
import threading

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.errors import StoreFault
from app.secrets.master import KEY_BYTES, MasterKey

_NONCE_BYTES = 12
_VERSION = b"\x01"
_PREFIX = "s1:"
_WRAP_CONTEXT = b"plantroom/site-key"


class SiteSealer:
    """Seals fields with a site's key, which is itself wrapped with the master key.

    AES-256-GCM; the field's place in the records (`context`) is authenticated with it, so a sealed
    value copied to another record or field does not open. Safe to use from any thread.
    """

    def __init__(self, master: MasterKey) -> None:
        self._wrapper = AESGCM(master.derive("site-key-wrap"))
        self._lock = threading.Lock()
        self._opened: dict[bytes, AESGCM] = {}

    def new_key(self) -> bytes:
        """A new site key, wrapped: safe to keep in the database."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key = AESGCM.generate_key(bit_length=KEY_BYTES * 8)
        return _VERSION + nonce + self._wrapper.encrypt(nonce, key, _WRAP_CONTEXT)

    def seal(self, wrapped: bytes, context: str, text: str) -> str:
        """The sealed form of `text`, to be opened only at the same `context`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        closed = self._site(wrapped).encrypt(nonce, text.encode(), context.encode())
        return _PREFIX + base64.b64encode(nonce + closed).decode()

    def open(self, wrapped: bytes, context: str, sealed: str) -> str:
        """The text that was sealed.

        Raises:
            StoreFault: another key, another place, or changed since it was sealed.
        """
        try:
            if not sealed.startswith(_PREFIX):
                raise ValueError(sealed[:3])
            raw = base64.b64decode(sealed[len(_PREFIX) :], validate=True)
            closed = raw[_NONCE_BYTES:]
            text = self._site(wrapped).decrypt(raw[:_NONCE_BYTES], closed, context.encode())
            return text.decode()
        except (ValueError, InvalidTag):
            raise _does_not_open(context) from None

    def _site(self, wrapped: bytes) -> AESGCM:
        with self._lock:
            if (opened := self._opened.get(wrapped)) is not None:
                return opened
        nonce, closed = wrapped[1 : 1 + _NONCE_BYTES], wrapped[1 + _NONCE_BYTES :]
        if wrapped[:1] != _VERSION:
            raise _does_not_open("site key")
        try:
            key = self._wrapper.decrypt(nonce, closed, _WRAP_CONTEXT)
        except (ValueError, InvalidTag):
            raise _does_not_open("site key") from None
        opened = AESGCM(key)
        with self._lock:
            self._opened[wrapped] = opened
        return opened

    def __repr__(self) -> str:
        return "SiteSealer(...)"


def _does_not_open(context: str) -> StoreFault:
    return StoreFault(
        "seal.broken",
        "A sealed field does not open with this profile's key.",
        where=context,
        do="Restore the profile from a backup, or enter the value again.",
    )
