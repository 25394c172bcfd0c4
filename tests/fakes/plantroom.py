"""The program as a person runs it: subprocesses on a data folder of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
PASSPHRASE = "only for this test"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Its one JSON document."""
        assert self.out.count("\n") == 1, self.out + self.err
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Running:
    """A command that goes on: its lines so far, and its end."""

    process: subprocess.Popen[bytes]
    lines: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)
    readers: list[threading.Thread] = field(default_factory=list)

    def wait_line(self, key: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """The first line that has `key`."""

        def find() -> dict[str, Any] | None:
            return next((line for line in self.lines if key in line), None)

        with self.news:
            found = self.news.wait_for(
                lambda: find() is not None or not self.readers[0].is_alive(), timeout_s
            )
            line = find()
        assert line is not None, f"no {key} (ended: {found}): {self.lines[-3:]} {self.errors[-20:]}"
        return line

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 60.0) -> int:
        """Signal it and wait for its end and its last line."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.end(timeout_s)

    def end(self, timeout_s: float = 60.0) -> int:
        """Wait for its end and its last line."""
        code = self.process.wait(timeout_s)
        for reader in self.readers:
            reader.join(10.0)
        return code


class Plantroom:
    """Commands on one data folder, opened with a passphrase."""

    def __init__(self, data: Path, **environ: str) -> None:
        self.data = data
        self.environ = {
            **os.environ,
            "PLANTROOM_KEYSTORE": "passphrase",
            "PLANTROOM_PASSPHRASE": PASSPHRASE,
            "PYTHONWARNINGS": "default",
            **environ,
        }

    def run(self, *words: str, timeout_s: float = 90.0, cwd: Path = ROOT, **environ: str) -> Ended:
        """Run a command to its end."""
        done = subprocess.run(
            self.command(*words),
            env={**self.environ, **environ},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def json(self, *words: str, code: int = 0, **options: Any) -> dict[str, Any]:
        """Run a command and return its document; it must end with `code`."""
        ended = self.run("--json", *words, **options)
        assert ended.code == code, ended.out + ended.err
        return ended.document

    def device(self, device: str) -> dict[str, Any]:
        """One device as `devices list` shows it."""
        items = self.json("devices", "list")["items"]
        found: dict[str, Any] = next(item for item in items if item["id"] == device)
        return found

    def command(self, *words: str) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "app", "--data", str(self.data), *words]

    @contextmanager
    def running(self, *words: str, **environ: str) -> Iterator[Running]:
        """Start a command that streams; it is killed at the end of the block if it still runs."""
        with started(self.command(*words), {**self.environ, **environ}) as running:
            yield running

    @contextmanager
    def holding(self, *words: str) -> Iterator[Running]:
        """`run --headless`, listening for commands."""
        with self.running("run", "--headless", *words) as running:
            running.wait_line("started")
            yield running


@contextmanager
def started(command: list[str], environ: dict[str, str]) -> Iterator[Running]:
    """Start a program that prints JSON lines."""
    process = subprocess.Popen(
        command,
        env=environ,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    running = Running(process)
    assert process.stdout is not None
    assert process.stderr is not None
    streams = ((process.stdout, _take_lines), (process.stderr, _take_errors))
    for stream, take in streams:
        reader = threading.Thread(target=take, args=(running, stream))
        running.readers.append(reader)
        reader.start()
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for reader in running.readers:
            reader.join()
        for stream, _ in streams:
            stream.close()


def _take_lines(running: Running, stream: IO[bytes]) -> None:
    for line in stream:
        with running.news:
            running.lines.append(json.loads(line))
            running.news.notify_all()
    with running.news:
        running.news.notify_all()


def _take_errors(running: Running, stream: IO[bytes]) -> None:
    for line in stream:
        running.errors.append(line.decode(errors="replace").rstrip())
