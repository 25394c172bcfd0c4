"""The master key: where it is kept, how it is found again, and that it is never replaced."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.domain.errors import EnvironmentLacks, StoreFault
from app.secrets.custody import Custody, is_demo, unlock
from app.secrets.keystore import StoreSilent
from app.secrets.master import MasterKey

PASSPHRASE = {"PLANTROOM_PASSPHRASE": "correct horse battery"}


class NotedStore:
    """A key store in memory that can fall silent."""

    def __init__(self, silent: str | None = None) -> None:
        self.kept: dict[str, bytes] = {}
        self.silent = silent

    def get(self, account: str) -> bytes | None:
        self._speak()
        return self.kept.get(account)

    def put(self, account: str, secret: bytes) -> None:
        self._speak()
        self.kept[account] = secret

    def delete(self, account: str) -> None:
        self._speak()
        self.kept.pop(account, None)

    def _speak(self) -> None:
        if self.silent:
            raise StoreSilent(self.silent)


def custody(
    folder: Path,
    store: NotedStore,
    environ: Mapping[str, str] | None = None,
    *,
    in_use: bool = False,
    demo: bool = False,
    says: str | None = None,
) -> Custody:
    return Custody(folder / "key.json", in_use, environ or {}, store, lambda _words: says, demo)


def test_the_first_key_goes_into_the_store_and_nowhere_else(tmp_path: Path) -> None:
    store = NotedStore()
    master = unlock(custody(tmp_path, store))
    assert list(store.kept.values()) == [master.expose()]
    assert master.expose().hex() not in (tmp_path / "key.json").read_text()
    assert "passphrase" not in json.loads((tmp_path / "key.json").read_text())
    assert unlock(custody(tmp_path, store, in_use=True)) == master


def test_the_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    unlock(custody(tmp_path, NotedStore()))
    assert stat.S_IMODE((tmp_path / "key.json").stat().st_mode) == 0o600


def test_without_a_store_the_passphrase_wraps_the_key(tmp_path: Path) -> None:
    store = NotedStore("there is none")
    master = unlock(custody(tmp_path, store, PASSPHRASE))
    assert unlock(custody(tmp_path, store, PASSPHRASE, in_use=True)) == master
    told = json.loads((tmp_path / "key.json").read_text())["passphrase"]
    assert (told["kdf"], told["memory_kib"], told["passes"], told["lanes"]) == (
        "argon2id", 65_536, 3, 4,
    )  # fmt: skip


def test_the_passphrase_can_be_asked_for_or_read_from_a_file(tmp_path: Path) -> None:
    store = NotedStore("there is none")
    master = unlock(custody(tmp_path, store, says="correct horse battery"))
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery\n")
    environ = {"PLANTROOM_PASSPHRASE_FILE": str(file)}
    assert unlock(custody(tmp_path, store, environ, in_use=True)) == master


def test_a_wrong_passphrase_is_a_sentence(tmp_path: Path) -> None:
    store = NotedStore("there is none")
    unlock(custody(tmp_path, store, PASSPHRASE))
    with pytest.raises(EnvironmentLacks) as caught:
        unlock(custody(tmp_path, store, {"PLANTROOM_PASSPHRASE": "wrong horse"}, in_use=True))
    assert caught.value.code == "key.wrong_passphrase"
    assert "wrong horse" not in str(caught.value.document())


def test_neither_store_nor_passphrase_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentLacks) as caught:
        unlock(custody(tmp_path, NotedStore("there is none on this system")))
    assert caught.value.code == "key.no_passphrase"
    assert "there is none on this system" in caught.value.what
    assert not (tmp_path / "key.json").exists()


def test_the_store_is_left_alone_when_the_environment_says_so(tmp_path: Path) -> None:
    store = NotedStore()
    unlock(custody(tmp_path, store, {**PASSPHRASE, "PLANTROOM_KEYSTORE": "passphrase"}))
    assert store.kept == {}


def test_a_short_passphrase_is_taken_with_a_warning_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    short = {"PLANTROOM_PASSPHRASE": "short"}
    master = unlock(custody(tmp_path, NotedStore("no"), short))
    assert "fewer than 8 characters" in caplog.text
    caplog.clear()
    assert unlock(custody(tmp_path, NotedStore("no"), short, in_use=True)) == master
    assert caplog.text == ""


def test_an_empty_passphrase_is_none(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentLacks) as caught:
        unlock(custody(tmp_path, NotedStore("no"), {"PLANTROOM_PASSPHRASE": ""}))
    assert caught.value.code == "key.no_passphrase"


def test_a_passphrase_that_is_not_utf_8_opens_what_it_closed(tmp_path: Path) -> None:
    odd = {"PLANTROOM_PASSPHRASE": b"caf\xe9 caf\xe9".decode("utf-8", "surrogateescape")}
    master = unlock(custody(tmp_path, NotedStore("no"), odd))
    assert unlock(custody(tmp_path, NotedStore("no"), odd, in_use=True)) == master


def test_a_slip_in_a_typed_passphrase_makes_no_profile(tmp_path: Path) -> None:
    typed = iter(["correct horse", "corect horse"])
    asked = Custody(
        key_file=tmp_path / "key.json", in_use=False, environ={}, store=NotedStore("no"),
        prompt=lambda _words: next(typed),
    )  # fmt: skip
    with pytest.raises(EnvironmentLacks) as caught:
        unlock(asked)
    assert caught.value.code == "key.passphrases_differ"
    assert not (tmp_path / "key.json").exists()


def test_a_locked_store_leads_to_the_passphrase_that_was_given_before(tmp_path: Path) -> None:
    store = NotedStore()
    master = unlock(custody(tmp_path, store, PASSPHRASE))
    store.silent = "it is locked"
    assert unlock(custody(tmp_path, store, PASSPHRASE, in_use=True)) == master


def test_a_locked_store_without_passphrase_says_what_to_do(tmp_path: Path) -> None:
    store = NotedStore()
    unlock(custody(tmp_path, store))
    store.silent = "it is locked"
    with pytest.raises(EnvironmentLacks) as caught:
        unlock(custody(tmp_path, store, PASSPHRASE, in_use=True))
    assert "it is locked" in caught.value.what


def test_a_lost_entry_never_means_a_new_key_over_old_data(tmp_path: Path) -> None:
    store = NotedStore()
    unlock(custody(tmp_path, store))
    before = (tmp_path / "key.json").read_bytes()
    store.kept.clear()
    with pytest.raises(EnvironmentLacks, match="gone"):
        unlock(custody(tmp_path, store, in_use=True))
    assert store.kept == {}
    assert (tmp_path / "key.json").read_bytes() == before


def test_a_lost_entry_of_an_unused_profile_is_replaced(tmp_path: Path) -> None:
    store = NotedStore()
    unlock(custody(tmp_path, store))
    store.kept.clear()
    master = unlock(custody(tmp_path, store))
    assert unlock(custody(tmp_path, store, in_use=True)) == master


def test_a_foreign_key_in_the_store_is_noticed(tmp_path: Path) -> None:
    store = NotedStore()
    unlock(custody(tmp_path, store))
    store.kept = dict.fromkeys(store.kept, MasterKey.random().expose())
    with pytest.raises(EnvironmentLacks) as caught:
        unlock(custody(tmp_path, store, in_use=True))
    assert caught.value.code == "key.lost"


def test_databases_without_a_key_file_get_no_new_key(tmp_path: Path) -> None:
    store = NotedStore()
    with pytest.raises(EnvironmentLacks) as caught:
        unlock(custody(tmp_path, store, in_use=True))
    assert caught.value.code == "key.lost"
    assert store.kept == {}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"version": 9}', b"{" * 9000])
def test_a_broken_key_file_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key.json").write_bytes(content)
    with pytest.raises(StoreFault) as caught:
        unlock(custody(tmp_path, NotedStore(), in_use=True))
    assert caught.value.code == "key.file_unreadable"


def test_a_tampered_wrapped_key_is_a_wrong_passphrase(tmp_path: Path) -> None:
    store = NotedStore("no")
    unlock(custody(tmp_path, store, PASSPHRASE))
    told = json.loads((tmp_path / "key.json").read_text())
    told["passphrase"]["memory_kib"] = 10**9
    (tmp_path / "key.json").write_text(json.dumps(told))
    with pytest.raises(EnvironmentLacks, match="does not open"):
        unlock(custody(tmp_path, store, PASSPHRASE, in_use=True))


def test_the_demo_keeps_its_passphrase_inside_itself(tmp_path: Path) -> None:
    store = NotedStore()
    master = unlock(custody(tmp_path, store, demo=True))
    assert store.kept == {}
    assert is_demo(tmp_path / "key.json")
    assert unlock(custody(tmp_path, store, in_use=True)) == master


def test_the_master_key_never_shows_itself(caplog: pytest.LogCaptureFixture) -> None:
    master = MasterKey(b"\x07" * 32)
    logging.getLogger("app.test").warning("have %s and %r", master, master)
    shown = caplog.text + repr(master) + str(master) + f"{master}"
    assert "\\x07" not in shown
    assert "0707" not in shown
    for wander in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            wander(master)


def test_purposes_have_keys_of_their_own() -> None:
    master = MasterKey(b"\x07" * 32)
    assert master.derive("console.db") == master.derive("console.db")
    assert master.derive("console.db") != master.derive("history.db")
    assert master.derive("console.db") != master.expose()
