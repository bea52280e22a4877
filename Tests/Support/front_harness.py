"""What the checks of quic_front.py share: a running front, and its clients."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mqtt_quic import Client, Failure, Stream, Target, client, within

GATEWAY = "gateway"


class Front:
    """A running quic_front.py."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, version: int) -> None:
        self._process = process
        self._folder = folder
        self._version = version
        self.port = 0

    async def event(self, *names: str) -> dict[str, Any]:
        """The next event with one of these names; other events are skipped."""
        assert self._process.stdout is not None
        while True:
            line = await within(f"{names} of the front", self._process.stdout.readline())
            if not line:
                raise Failure("the front has ended")
            event = json.loads(line)
            if event["event"] in names:
                return dict(event)

    async def command(self, name: str, **fields: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"command": name, **fields}).encode() + b"\n")
        answer = await self.event("done", "error")
        if answer["event"] != "done":
            raise Failure(answer["message"])

    @property
    def target(self) -> Target:
        return Target(("127.0.0.1", self.port), str(self._folder / "ca.pem"), keep_alive=4, version=self._version)


@asynccontextmanager
async def front(arguments: argparse.Namespace, version: int, *options: str) -> AsyncIterator[Front]:
    script = Path(__file__).with_name("quic_front.py")
    folder = Path(arguments.certificates)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), "--commands", "--listen", "127.0.0.1:0", "--broker", arguments.broker,
        "--certificate", str(folder / "server.pem"), "--private-key", str(folder / "server.key"), *options,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 22,
    )  # fmt: skip
    try:
        running = Front(process, folder, version)
        running.port = (await running.event("listening"))["port"]
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def gateway(target: Target) -> AsyncIterator[tuple[Client, Stream]]:
    """A connection whose control stream has been accepted."""
    async with client(target) as peer:
        control = peer.open()
        await control.connect(GATEWAY)
        yield peer, control


def expect(condition: bool, what: str) -> None:
    if not condition:
        raise Failure(what)


async def expect_reset(stream: Stream, what: str, code: int = 0) -> None:
    await stream.over()
    expect(stream.reset_code == code, f"{what}: {stream.describe_end()}")
