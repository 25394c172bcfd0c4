"""The control socket: many callers at once, nobody else, and nothing left behind by a kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.control.client import ask
from app.control.server import MAX_CALLERS, ControlServer
from app.control.wire import Answer, Request, WireError
from app.domain.errors import InvalidRequest, StoreFault
from app.runtime.events import EventBus

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="looks at Unix sockets")


@contextmanager
def serving(data: Path, handle: Callable[[Request], Answer]) -> Iterator[Path]:
    data.mkdir(exist_ok=True)
    server = ControlServer(data, data / "control", handle, EventBus())
    server.start()
    try:
        yield data / "control"
    finally:
        server.stop()


def echo(request: Request) -> Answer:
    return Answer({"argv": list(request.argv), "cwd": request.cwd}, "text", 4)


def test_a_command_comes_back_with_document_words_and_exit_code(tmp_path: Path) -> None:
    with serving(tmp_path, echo) as address:
        answer = ask(address, Request("command", ("devices", "list"), "/srv"))
    assert answer == Answer({"argv": ["devices", "list"], "cwd": "/srv"}, "text", 4)


def test_nobody_listening_is_no_answer(tmp_path: Path) -> None:
    assert ask(tmp_path / "control", Request()) is None
    with serving(tmp_path, echo) as address:
        pass
    assert ask(address, Request()) is None


def test_a_slow_command_does_not_hold_up_the_others(tmp_path: Path) -> None:
    go_on = threading.Event()

    def handle(request: Request) -> Answer:
        if request.argv == ("slow",):
            assert go_on.wait(10)
        return Answer({})

    with serving(tmp_path, handle) as address, ThreadPoolExecutor(9) as pool:
        slow = [pool.submit(ask, address, Request(argv=("slow",))) for _ in range(8)]
        assert ask(address, Request(argv=("quick",)), 5.0) == Answer({})
        assert not any(future.done() for future in slow)
        go_on.set()
        assert all(future.result(10) == Answer({}) for future in slow)


def test_a_failure_is_answered_as_one(tmp_path: Path) -> None:
    def handle(request: Request) -> Answer:
        raise InvalidRequest("usage", "No.", do="Yes.")

    with serving(tmp_path, handle) as address:
        answer = ask(address, Request())
    assert answer is not None
    assert answer.exit_code == 2
    assert answer.document["error"]["code"] == "usage"


def test_a_large_answer_arrives_whole(tmp_path: Path) -> None:
    items = [[n, n / 7, "good", "lan"] for n in range(100_000)]
    with serving(tmp_path, lambda request: Answer({"items": items})) as address:
        answer = ask(address, Request())
    assert answer is not None
    assert answer.document["items"] == items


def test_the_socket_is_for_its_owner_alone(tmp_path: Path) -> None:
    with serving(tmp_path, echo) as address:
        path = Path(address.read_text())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(address.stat().st_mode) == 0o600
        assert len(str(path)) < 107
        assert tmp_path.name not in str(path)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs another user")
def test_another_user_is_not_let_in(tmp_path: Path) -> None:
    called = []

    def handle(request: Request) -> Answer:
        called.append(request)
        return Answer({})

    script = (
        "import os, socket, sys\n"
        "peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)\n"
        "folder = os.open(os.path.dirname(sys.argv[1]), os.O_RDONLY)\n"
        "os.fchdir(folder); os.setuid(65534)\n"
        "peer.connect('./' + os.path.basename(sys.argv[1]))\n"
        'peer.sendall(b\'{"verb": "command", "argv": []}\\n\')\n'
        "print(peer.recv(10))"
    )
    with serving(tmp_path, handle) as address:
        path = Path(address.read_text())
        # Even with both guards of the file system taken away.
        path.chmod(0o666)
        path.parent.chmod(0o755)
        told = subprocess.run(
            [sys.executable, "-c", script, path], capture_output=True, text=True, check=False
        )
        path.parent.chmod(0o700)
        assert ask(address, Request()) == Answer({})
    # Closed before, while or after the peer wrote: three ways to see the same door shut.
    shut = ("ConnectionReset" in told.stderr) or ("BrokenPipe" in told.stderr)
    assert shut or told.stdout.strip() == "b''"
    assert len(called) == 1


@pytest.mark.parametrize(
    "line", [b"\n", b"[]\n", b'{"verb": 1}\n', b"{" * 100 + b"\n", b"x" * 2_000_000 + b"\n"]
)
def test_nonsense_is_hung_up_on_and_the_next_caller_served(tmp_path: Path, line: bytes) -> None:
    with serving(tmp_path, echo) as address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.connect(address.read_text())
            try:
                peer.sendall(line)
                assert peer.recv(10) == b""
            except (BrokenPipeError, ConnectionResetError):
                pass
        assert ask(address, Request()) is not None


def test_callers_who_say_nothing_keep_nobody_out_for_long(tmp_path: Path) -> None:
    with serving(tmp_path, echo) as address, ExitStack() as silent:
        for _ in range(MAX_CALLERS):
            peer = silent.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            peer.connect(address.read_text())
        assert ask(address, Request()) is not None


def test_more_callers_than_places_wait_and_are_all_served(tmp_path: Path) -> None:
    with serving(tmp_path, echo) as address, ThreadPoolExecutor(MAX_CALLERS + 20) as pool:
        asked = [pool.submit(ask, address, Request()) for _ in range(3 * MAX_CALLERS)]
        assert all(future.result(30) is not None for future in asked)


def test_a_long_path_of_the_temporary_folder_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 110)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with serving(tmp_path / ("y" * 150), echo) as address:
        assert ask(address, Request()) is not None


def test_a_holder_that_dies_while_it_works_is_a_sentence(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib\n"
        "from app.control.server import ControlServer; from app.runtime.events import EventBus\n"
        "data = pathlib.Path(sys.argv[1])\n"
        "server = ControlServer(data, data / 'control', lambda r: os.kill(os.getpid(), 9),"
        " EventBus())\n"
        "server.start(); print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        with pytest.raises(StoreFault, match="stopped before it answered"):
            ask(tmp_path / "control", Request())
        assert holder.wait(10) == -signal.SIGKILL
    # What it left behind is in nobody's way.
    assert ask(tmp_path / "control", Request()) is None
    with serving(tmp_path, echo) as address:
        assert ask(address, Request()) is not None


@given(line=st.binary(max_size=100))
def test_no_line_breaks_the_decoders(line: bytes) -> None:
    for decode in (Request.decode, Answer.decode):
        with suppress(WireError):
            decode(line)


def test_a_deeply_nested_line_is_not_a_request() -> None:
    with pytest.raises(WireError):
        Request.decode(b"[" * 200_000)


def test_a_request_survives_the_wire() -> None:
    request = Request("command", ("device", "set", "x", "--", "-5"), "/srv/ä")
    assert Request.decode(request.encode()) == request
    assert json.loads(request.encode())["cwd"] == "/srv/ä"
