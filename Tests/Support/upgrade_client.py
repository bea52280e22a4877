#!/usr/bin/env python3
"""Publishes from many devices while the bridge is restarted, and compares what was acknowledged with what the broker has.

    upgrade_client.py BRIDGE_PORT BROKER_PORT DEVICES INTERVAL_MS

Each device publishes numbers with QoS 1 to `up/ID` all the time, and connects again at once when it has been
disconnected, as one that does not know why. An observer at the broker itself notes what arrives.

Standard output has JSON lines: ready {count} when all devices are connected; flowing {} when each of them has had five
messages acknowledged on its connection; returned {count, slowest_ms} when all of them have come back after having been
disconnected, with the longest time from the end of a connection to the CONNACK of the next.
A line on standard input ends the traffic: result {acknowledged, lost, refused, disconnects}. `lost` are messages that were
acknowledged and did not come to the broker, `refused` attempts to connect that the system refused.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from mqtt_build import connect, puback, publish, subscribe
from mqtt_scan import CONNACK, PUBACK, PUBLISH, SUBACK, Packet, PacketScanner

#: In seconds, between the end of a connection and the next attempt.
RECONNECT_AFTER = 0.05
#: In seconds, for the last acknowledgements and messages to arrive.
PATIENCE = 20.0


def emit(event: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


class Observer(asyncio.Protocol):
    """What has come to the broker, by topic."""

    def __init__(self) -> None:
        self.numbers: dict[str, set[int]] = {}
        self.ready = asyncio.Event()
        self._scanner = PacketScanner()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(connect("upgrade-observer", keep_alive=0))

    def data_received(self, data: bytes) -> None:
        for packet in self._scanner.feed(data):
            if packet.type == CONNACK:
                self._transport.write(subscribe(1, "up/#", 1))
            elif packet.type == SUBACK:
                self.ready.set()
            elif packet.type == PUBLISH:
                length = int.from_bytes(packet.head[:2], "big")
                topic = packet.head[2 : 2 + length].decode()
                self._transport.write(puback(int.from_bytes(packet.head[2 + length : 4 + length], "big")))
                self.numbers.setdefault(topic, set()).add(int(packet.head[4 + length :]))


class Device(asyncio.Protocol):
    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self.is_connected = False
        self.acknowledged: set[int] = set()
        self.refused = 0
        self.disconnects = 0
        self.slowest = 0.0
        #: Acknowledgements on this connection.
        self.flow = 0
        self._ended_at: float | None = None
        self._number = 0
        self._pending: dict[int, int] = {}
        self._scanner = PacketScanner()
        self._transport: Any = None

    @property
    def has_pending(self) -> bool:
        return bool(self._pending)

    async def start(self) -> None:
        while True:
            try:
                await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.port)
                return
            except OSError:
                self.refused += 1
                await asyncio.sleep(RECONNECT_AFTER)

    def publish(self) -> None:
        if not self.is_connected:
            return
        self._number += 1
        packet_id = self._number % 65_535 + 1
        self._pending[packet_id] = self._number
        self._transport.write(publish(f"up/{self.name}", str(self._number).encode(), 1, packet_id))

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._scanner = PacketScanner()
        # A device that was connected counts from the end of its connection, however many attempts it takes.
        transport.write(connect(self.name, keep_alive=0, clean=False))

    def data_received(self, data: bytes) -> None:
        for packet in self._scanner.feed(data):
            self._take(packet)

    def _take(self, packet: Packet) -> None:
        if packet.type == CONNACK and packet.head[1] == 0:
            self.is_connected = True
            self.flow = 0
            if self._ended_at is not None:
                self.slowest = max(self.slowest, time.monotonic() - self._ended_at)
                self._ended_at = None
        elif packet.type == PUBACK:
            number = self._pending.pop(int.from_bytes(packet.head[:2], "big"), None)
            if number is not None:
                self.acknowledged.add(number)
                self.flow += 1

    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_connected:
            self.disconnects += 1
            self._ended_at = time.monotonic()
        self.is_connected = False
        # Nobody will acknowledge these any more; a device would send them again.
        self._pending.clear()
        loop = asyncio.get_running_loop()
        loop.call_later(RECONNECT_AFTER, lambda: loop.create_task(self.start()))


async def traffic(devices: list[Device], interval: float) -> None:
    while True:
        start = time.monotonic()
        for index, device in enumerate(devices):
            device.publish()
            if index % 20 == 19:
                await asyncio.sleep(0)
        await asyncio.sleep(max(0.001, interval - (time.monotonic() - start)))


async def returns(devices: list[Device]) -> None:
    seen = 0
    flowing = -1
    while True:
        await asyncio.sleep(0.005)
        if flowing < seen and all(device.is_connected and device.flow >= 5 for device in devices):
            flowing = seen
            emit("flowing")
        rounds = min(device.disconnects for device in devices)
        if rounds > seen and all(device.is_connected for device in devices):
            seen = rounds
            emit("returned", count=len(devices), slowest_ms=round(1_000 * max(each.slowest for each in devices)))
            for device in devices:
                device.slowest = 0.0


async def until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        await asyncio.sleep(0.02)


async def main() -> None:
    port, broker_port, count, interval = (int(argument) for argument in sys.argv[1:5])
    loop = asyncio.get_running_loop()
    observer = Observer()
    await loop.create_connection(lambda: observer, "127.0.0.1", broker_port)
    await observer.ready.wait()
    devices = [Device(f"upgrade-{index}", port) for index in range(count)]
    await asyncio.gather(*[device.start() for device in devices])
    await until(lambda: all(device.is_connected for device in devices))
    emit("ready", count=sum(device.is_connected for device in devices))
    tasks = [loop.create_task(traffic(devices, interval / 1_000)), loop.create_task(returns(devices))]
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.readline()
    for task in tasks:
        task.cancel()
    await until(lambda: not any(device.has_pending for device in devices))

    def lost() -> int:
        return sum(len(each.acknowledged - observer.numbers.get(f"up/{each.name}", set())) for each in devices)

    await until(lambda: lost() == 0)
    emit(
        "result",
        acknowledged=sum(len(device.acknowledged) for device in devices),
        lost=lost(),
        refused=sum(device.refused for device in devices),
        disconnects=sum(device.disconnects for device in devices),
    )


if __name__ == "__main__":
    asyncio.run(main())
