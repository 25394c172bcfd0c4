"""A field sealer for tests: reversible, different for every context, and easy to spot."""

from __future__ import annotations

import base64
import secrets

from app.domain.errors import StoreFault


class FakeSealer:
    """Implements `app.records.port.FieldSealer` without any secrecy."""

    def new_key(self) -> bytes:
        return secrets.token_bytes(16)

    def seal(self, wrapped: bytes, context: str, text: str) -> str:
        said = "\x1f".join((wrapped.hex(), context, text, secrets.token_hex(4)))
        return "sealed:" + base64.b64encode(said.encode()[::-1]).decode()

    def open(self, wrapped: bytes, context: str, sealed: str) -> str:
        said = base64.b64decode(sealed.removeprefix("sealed:"))[::-1].decode()
        key, bound, text, _ = said.split("\x1f")
        if (key, bound) != (wrapped.hex(), context):
            raise StoreFault("secrets.not_opened", "The value was sealed for another place.")
        return text
