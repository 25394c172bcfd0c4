"""The control port: a few lines of HTTP on 127.0.0.1 to switch faults and look inside."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from app.domain.errors import ConsoleError, InvalidRequest
from app.simulator.building import Building

READ_LIMIT_S = 5.0
MAX_BODY = 65_536
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found"}


class ControlPort:
    """`POST /faults {"device","fault","on"}` and `GET /state`, JSON both ways."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""

    async def start(self) -> None:
        """Listen on a port the system chooses."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Close."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            async with asyncio.timeout(READ_LIMIT_S):
                method, path, body = await _read(reader)
            status, answer = await self._answer(method, path, body)
            _write(writer, status, answer)
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            # A caller that went away or speaks no HTTP; there is nobody to tell.
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if (method, path) == ("GET", "/state"):
            return 200, self._building.state()
        if (method, path) != ("POST", "/faults"):
            return 404, InvalidRequest(
                "simulator.no_such_page",
                f"There is nothing at {method} {path[:80]}.",
                do="Use POST /faults or GET /state.",
            ).document()
        try:
            device, fault, on = read_fault(json.loads(body))
            await self._building.switch_fault(device, fault, on)
        except (ValueError, RecursionError):
            return 400, InvalidRequest(
                "simulator.not_json",
                "The request is not JSON.",
                do='Send {"device": "...", "fault": "frozen", "on": true}.',
            ).document()
        except ConsoleError as error:
            return 400, error.document()
        return 200, {"ok": True, "device": device, "fault": fault, "on": on}


def read_fault(wish: object) -> tuple[str, str, bool]:
    """(device, fault, on) of one object, `on` being true when left out.

    Raises:
        InvalidRequest: a part is missing or of the wrong type.
    """
    if isinstance(wish, dict):
        device, fault, on = wish.get("device"), wish.get("fault"), wish.get("on", True)
        if isinstance(device, str) and isinstance(fault, str) and isinstance(on, bool):
            return device, fault, on
    raise InvalidRequest(
        "simulator.fault",
        "A fault needs a device, a name and on or off.",
        do='Write {"device": "...", "fault": "frozen", "on": true}.',
    )


async def _read(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
    method, path, _ = head.split("\r\n", 1)[0].split(" ", 2)
    length = 0
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    if not 0 <= length <= MAX_BODY:
        raise ValueError("the body is too long")
    return method, path, await reader.readexactly(length)


def _write(writer: asyncio.StreamWriter, status: int, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
