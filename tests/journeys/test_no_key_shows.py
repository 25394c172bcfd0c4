"""A day at the most talkative log level: no key and no passphrase is anywhere but sealed."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from fakes.house import House
from fakes.plantroom import PASSPHRASE, ROOT, Plantroom

from app.secrets.custody import Custody, unlock
from app.secrets.keystore import SystemKeyStore

WRONG_KEY = "ThisKeyIsWrong12"
ODD_KEY = "KeyInAnOddColumn"
BUG = """
import sys
from app.services.history import HistoryService
from app.__main__ import main

def broken(service, device, *rest, **more):
    key = service._directory.spec(device).key
    raise ValueError("a bug that shows key=" + repr(key))

HistoryService.query = broken
sys.exit(main(sys.argv[1:]))
"""


def test_no_key_and_no_passphrase_shows_anywhere(
    plantroom: Plantroom, house: House, tmp_path: Path
) -> None:
    plantroom.environ["PLANTROOM_LOG"] = "debug"
    said = day(plantroom, house, tmp_path)
    assert "INFO" in said
    files = [path for path in plantroom.data.rglob("*") if path.is_file()]
    assert any(path.name == "plantroom.log" for path in files)
    assert any(path.parent.name == "crash" for path in files)
    places = {"what was said": said.encode()} | {str(p): p.read_bytes() for p in files}
    secrets = [*forms(plantroom, house)]
    assert len(secrets) > 40
    found = [place for place, data in places.items() if any(secret in data for secret in secrets)]
    assert found == []


def day(plantroom: Plantroom, house: House, folder: Path) -> str:
    """Import, a wrong key, a run that others use, what was said, a bug; all that was printed."""
    device, other = house.rows[0]["id"], house.with_point("switch_1")["id"]
    wrong = folder / "wrong.json"
    rows = [{**row, "key": WRONG_KEY} if row["id"] == other else row for row in house.rows]
    odd = [{"id": f"{ODD_KEY}!", "key": ODD_KEY}, {"id": "odd", "key": ODD_KEY, "ip": ODD_KEY}]
    wrong.write_text(json.dumps([*rows, *odd]))
    said = [run(plantroom, "devices", "import", str(wrong))]
    with plantroom.holding("--fast") as runner:
        said += [
            run(plantroom, *words)
            for words in (
                ("device", "diagnose", other),
                ("device", "read", other),
                ("device", "diagnose", device),
                ("devices", "import", str(house.inventory)),
                ("record", "history", "device", other),
                ("record", "undo", "device", other),
                ("devices", "list"),
            )
        ]
        assert runner.stop() == 0
        said += [json.dumps(runner.lines), *runner.errors]
    plain = plantroom.run("record", "history", "device", other)
    bug = subprocess.run(
        [sys.executable, "-c", BUG, *plantroom.command("history", "query", device, "dp:1")[3:]],
        cwd=ROOT, env=plantroom.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert bug.returncode == 1, bug.stderr
    closed = plantroom.run("devices", "list", PLANTROOM_PASSPHRASE="not the passphrase")
    said += [plain.out, plain.err, bug.stdout, bug.stderr, closed.out, closed.err]
    return "\n".join(said)


def run(plantroom: Plantroom, *words: str) -> str:
    ended = plantroom.run("--json", *words)
    assert ended.code in (0, 4), ended.out + ended.err
    return ended.out + ended.err


def forms(plantroom: Plantroom, house: House) -> Iterator[bytes]:
    """Every secret of the day as it stands, in hexadecimal and in base64."""
    master = unlock(
        Custody(
            key_file=plantroom.data / "key.json", in_use=True, environ=plantroom.environ,
            store=SystemKeyStore(),
        )
    )  # fmt: skip
    keys = {row["key"] for row in house.rows if row.get("key")}
    texts = {*keys, WRONG_KEY, ODD_KEY, PASSPHRASE, "not the passphrase"}
    secrets = {text.encode("latin-1") for text in texts}
    purposes = ("console.db", "history.db", "site-key-wrap")
    secrets |= {master.expose(), *(master.derive(purpose) for purpose in purposes)}
    for secret in secrets:
        yield from (secret, secret.hex().encode(), secret.hex().upper().encode())
        yield base64.b64encode(secret).rstrip(b"=")
