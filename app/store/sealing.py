"""Sealed fields: a site's key is made on its first sealed value and kept wrapped beside it."""

from __future__ import annotations

from typing import Any

from app.domain.errors import StoreFault
from app.records.port import FieldSealer


def context(kind: str, record: str, field: str) -> str:
    """What a sealed value is bound to."""
    return f"{kind}/{record}/{field}"


class SiteKeys:
    """Seals and opens through the profile's sealer; keys live in the table `site_key`.

    Takes the driver connection at each call: sealing happens in the writer's transaction,
    opening in a reader's.
    """

    def __init__(self, sealer: FieldSealer) -> None:
        self._sealer = sealer

    def seal(self, connection: Any, site: str, where: str, text: str) -> tuple[str, bytes | None]:
        """Ciphertext, and the wrapped key where this call made it."""
        wrapped = self._wrapped(connection, site)
        made = None
        if wrapped is None:
            wrapped = made = self._sealer.new_key()
            self.keep(connection, site, wrapped)
        return self._sealer.seal(wrapped, where, text), made

    def open(self, connection: Any, site: str, where: str, sealed: str) -> str:
        """The plaintext.

        Raises:
            StoreFault: the site's key is not here, or does not open this value.
        """
        wrapped = self._wrapped(connection, site)
        if wrapped is None:
            raise StoreFault(
                "store.no_site_key",
                "This console does not hold the key of the site.",
                where=where,
                do="Enter the value again, or bring the key from a console that has it.",
            )
        return self._sealer.open(wrapped, where, sealed)

    def keep(self, connection: Any, site: str, wrapped: bytes) -> None:
        """Keep a wrapped site key; one that is here already stays."""
        connection.execute("INSERT OR IGNORE INTO site_key VALUES(?,?)", (site, wrapped))

    @staticmethod
    def _wrapped(connection: Any, site: str) -> bytes | None:
        row = connection.execute("SELECT wrapped FROM site_key WHERE site=?", (site,)).fetchone()
        return None if row is None else bytes(row[0])
