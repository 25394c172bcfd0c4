"""The system's key store, asked gently: real stores only, in a thread of its own, with a limit."""

from __future__ import annotations

import base64
import binascii
import importlib
import logging
import queue
import sys
from collections.abc import Callable
from typing import Protocol, TypeVar

from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, KeyringLocked, PasswordDeleteError

from app.runtime.threads import NamedThread

log = logging.getLogger(__name__)

SERVICE = "plantroom"
_REAL_STORES = {
    "linux": (
        ("keyring.backends.SecretService", "Keyring"),
        ("keyring.backends.kwallet", "DBusKeyring"),
    ),
    "darwin": (("keyring.backends.macOS", "Keyring"),),
    "win32": (("keyring.backends.Windows", "WinVaultKeyring"),),
}
"""Stores that really protect. Others that happen to be installed keep plain text or ask on the
terminal (keyrings.alt, cryptfile), so keyring's own choice is never taken."""

R = TypeVar("R")


class StoreSilent(Exception):
    """No key store can be used now; `reason` says why, for a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeyStore(Protocol):
    """Somewhere outside the data folder that keeps one small secret an account."""

    def get(self, account: str) -> bytes | None:
        """The secret, or None when there is none. Raises StoreSilent."""

    def put(self, account: str, secret: bytes) -> None:
        """Keep the secret. Raises StoreSilent."""

    def delete(self, account: str) -> None:
        """Forget the secret; harmless when there is none. Raises StoreSilent."""


class SystemKeyStore:
    """The desktop's key store. A store that prompts can block, so each call has `timeout_s`."""

    def __init__(self, timeout_s: float = 20.0) -> None:
        self._timeout_s = timeout_s

    def get(self, account: str) -> bytes | None:
        """The secret kept for `account`, or None.

        Raises:
            StoreSilent: no store, a locked one, or one that does not answer in time.
        """
        text = self._ask(lambda store: store.get_password(SERVICE, account))
        if text is None:
            return None
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            return b""

    def put(self, account: str, secret: bytes) -> None:
        """Keep `secret` as base64, since the stores take text."""
        text = base64.b64encode(secret).decode()
        self._ask(lambda store: store.set_password(SERVICE, account, text))

    def delete(self, account: str) -> None:
        """Forget what is kept for `account`."""

        def forget(store: KeyringBackend) -> None:
            try:
                store.delete_password(SERVICE, account)
            except PasswordDeleteError:
                log.debug("Nothing to delete in the key store")

        self._ask(forget)

    def _ask(self, question: Callable[[KeyringBackend], R]) -> R:
        answers: queue.SimpleQueue[tuple[bool, object]] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put((True, question(_backend())))
            except StoreSilent as silent:
                answers.put((False, silent))
            except KeyringLocked:
                answers.put((False, StoreSilent("it is locked")))
            except KeyringError as error:
                answers.put((False, StoreSilent(_reason(error))))
            except Exception as error:  # noqa: BLE001  D-Bus libraries raise their own kinds
                answers.put((False, StoreSilent(_reason(error))))

        NamedThread("key-store", work).start()
        try:
            good, answer = answers.get(timeout=self._timeout_s)
        except queue.Empty:
            raise StoreSilent(f"it did not answer within {self._timeout_s:.0f} s") from None
        if good:
            return answer  # type: ignore[return-value]
        raise answer  # type: ignore[misc]


def _reason(error: Exception) -> str:
    """Why, without the text of the error where it could hold what was asked."""
    return f"it failed ({type(error).__name__})"


def _backend() -> KeyringBackend:
    reasons = []
    for module, name in _REAL_STORES.get(sys.platform, ()):
        try:
            backend: type[KeyringBackend] = getattr(importlib.import_module(module), name)
            _ = backend.priority
        except Exception as error:  # noqa: BLE001  each store says "not here" in its own way
            reasons.append(f"{module.rsplit('.', 1)[-1]}: {type(error).__name__}")
            continue
        return backend()
    log.debug("No key store: %s", ", ".join(reasons))
    raise StoreSilent("there is none on this system")
