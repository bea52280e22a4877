#!/usr/bin/env python3
"""Runs thousands of small MQTT clients in one process, driven and reporting by JSON lines.

The clients are cheap because they are alike: each has a client id `PREFIX-INDEX`, subscribes to `down/ID` and publishes
to `up/ID`. A command is answered once, when all clients have carried it out or `timeout` seconds (60) have passed.

Commands (optional parts are in brackets):
    connect      port, count [prefix "device", version "3.1.1" | "5.0", keep_alive, clean true, subscribe false,
                 reconnect false, at_once 200]: answered by `connected` {count, refused}. With `reconnect` a client that
                 is refused or ended connects again at once, forever
    publish      [size, to_next]: each publishes once with QoS 1; with `to_next`, to the `down/ID` of the next client;
                 answered by `published` {count}, the number of acknowledged messages
    messages     per_client: waits until each has received so many; answered by `messages` {count, lost, wrong}:
                 clients that have all, messages that are missing, messages that were meant for another client
    round_trips  samples [clients]: the first so many clients publish to their own `down/ID` in turns; answered by
                 `round_trips` {acknowledgement, delivery}: medians in microseconds, from PUBLISH to PUBACK and from
                 PUBLISH to the message's return
    reconnected  waits until all are connected; answered by `reconnected` {count, refused}
    start_traffic [interval 1000]: from now on each publishes a number with QoS 1 to its own `down/ID` every so many
                 milliseconds; answered by `traffic_started`
    stop_traffic waits until every message was acknowledged and came back; answered by `traffic` {sent, acknowledged,
                 missing, duplicates, disordered, gap}: sums over all, and the longest time in milliseconds in which
                 nothing came back to some client
    disconnect   each sends DISCONNECT and closes; answered by `disconnected` {count}

Events without a command: ended {client, code}, with the reason code of DISCONNECT, or null if none was received.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import time
from typing import Any

from load_traffic import Traffic
from mqtt_build import MQTT_5, VERSIONS, connect, disconnect, publish, puback, subscribe
from mqtt_scan import CONNACK, DISCONNECT, PUBACK, PUBLISH, SUBACK, Packet, PacketScanner

#: In seconds, between a client's end and its next attempt; the network stack of a device takes as long.
RECONNECT_AFTER = 0.05


def emit(event: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


class Client(asyncio.Protocol):
    """One client, over all its TCP connections."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name = name
        self.options = options
        self.version = VERSIONS[options.get("version", "3.1.1")]
        self.ready = asyncio.Event()
        self.acknowledged = 0
        self.received = 0
        self.wrong = 0
        self.refused = 0
        self.changed = asyncio.Event()
        self.closing = False
        self.traffic = Traffic()
        self._sending: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._scanner = PacketScanner()
        self._code: int | None = None
        self._packet_id = 0

    async def start(self) -> None:
        self._scanner = PacketScanner()
        self._code = None
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.create_connection(lambda: self, self.options.get("host", "127.0.0.1"), self.options["port"])
                return
            except OSError:
                if not self.options.get("reconnect"):
                    raise
                await asyncio.sleep(RECONNECT_AFTER)

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def publish(self, topic: str, payload: bytes) -> None:
        self._packet_id = self._packet_id % 65_535 + 1
        self.send(publish(topic, payload, 1, self._packet_id, version=self.version))

    def start_traffic(self, interval: float) -> None:
        self.traffic = Traffic()
        self.acknowledged = 0
        self._sending = asyncio.ensure_future(self._send_traffic(interval))

    def stop_traffic(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    async def _send_traffic(self, interval: float) -> None:
        # Devices do not send at the same moment.
        await asyncio.sleep(random.random() * interval)
        while True:
            self.publish(f"down/{self.name}", self.traffic.next())
            await asyncio.sleep(interval)

    def leave(self) -> None:
        self.closing = True
        self.send(disconnect())
        if self._transport is not None:
            self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        clean = self.options.get("clean", True)
        self.send(connect(self.name, self.version, self.options.get("keep_alive", 0), clean=clean))

    def data_received(self, data: bytes) -> None:
        for packet in self._scanner.feed(data):
            self._take(packet)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        was_ready = self.ready.is_set()
        self.ready.clear()
        self._change()
        if self.closing:
            return
        if was_ready:
            emit("ended", client=self.name, code=self._code)
        if self.options.get("reconnect"):
            loop = asyncio.get_running_loop()
            loop.call_later(RECONNECT_AFTER, lambda: loop.create_task(self.start()))

    def _take(self, packet: Packet) -> None:
        if packet.type == CONNACK:
            if packet.head[1] != 0:
                self.refused += 1
                self._change()
            elif self.options.get("subscribe"):
                self.send(subscribe(1, f"down/{self.name}", 1, self.version))
            else:
                self._begin()
        elif packet.type == SUBACK:
            self._begin()
        elif packet.type == PUBACK:
            self.acknowledged += 1
            self._change()
        elif packet.type == PUBLISH:
            self._message(packet)
        elif packet.type == DISCONNECT:
            self._code = packet.head[0] if packet.head else 0

    def _message(self, packet: Packet) -> None:
        length = int.from_bytes(packet.head[:2], "big")
        topic = packet.head[2 : 2 + length].decode()
        if topic != f"down/{self.name}":
            self.wrong += 1
        self.received += 1
        self.send(puback(int.from_bytes(packet.head[2 + length : 4 + length], "big")))
        if self._sending is not None or self.traffic.sent:
            properties = 1 + packet.head[4 + length] if self.version == MQTT_5 else 0
            self.traffic.came(packet.head[4 + length + properties :])
        self._change()

    def _begin(self) -> None:
        self.ready.set()
        self._change()

    def _change(self) -> None:
        self.changed.set()

    async def until(self, condition: Any) -> None:
        while not condition(self):
            self.changed.clear()
            await self.changed.wait()


class Load:
    """All clients."""

    def __init__(self) -> None:
        self.clients: list[Client] = []

    async def perform(self, command: dict[str, Any]) -> None:
        name = command.pop("command")
        timeout = command.pop("timeout", 60)
        await getattr(self, f"do_{name}")(timeout, **command)

    async def do_connect(
        self, timeout: float, count: int, prefix: str = "device", at_once: int = 200, **options: Any
    ) -> None:
        new = [Client(f"{prefix}-{index}", options) for index in range(count)]
        self.clients += new
        places = asyncio.Semaphore(at_once)

        async def one(client: Client) -> None:
            async with places:
                await client.start()
                await client.until(lambda c: c.ready.is_set() or (c.refused and not options.get("reconnect")))

        await self._all([one(client) for client in new], timeout)
        emit("connected", **self._state(new))

    async def do_publish(self, timeout: float, size: int = 10, to_next: bool = False) -> None:
        goals = {}
        for index, client in enumerate(self.clients):
            goals[client] = client.acknowledged + 1
            next_one = self.clients[(index + 1) % len(self.clients)]
            client.publish(f"down/{next_one.name}" if to_next else f"up/{client.name}", b"x" * size)
        await self._all([client.until(lambda c: c.acknowledged >= goals[c]) for client in self.clients], timeout)
        emit("published", count=sum(client.acknowledged >= goals[client] for client in self.clients))

    async def do_messages(self, timeout: float, per_client: int) -> None:
        await self._all([client.until(lambda c: c.received >= per_client) for client in self.clients], timeout)
        emit(
            "messages",
            count=sum(client.received >= per_client for client in self.clients),
            lost=sum(max(per_client - client.received, 0) for client in self.clients),
            wrong=sum(client.wrong for client in self.clients),
        )

    async def do_round_trips(self, timeout: float, samples: int, clients: int = 10) -> None:
        acknowledgements: list[float] = []
        deliveries: list[float] = []

        async def one(client: Client) -> None:
            start = time.perf_counter()
            acknowledged, received = client.acknowledged + 1, client.received + 1
            client.publish(f"down/{client.name}", b"ping")
            await client.until(lambda c: c.acknowledged >= acknowledged)
            acknowledgements.append(time.perf_counter() - start)
            await client.until(lambda c: c.received >= received)
            deliveries.append(time.perf_counter() - start)

        async def several() -> None:
            chosen = self.clients[:clients]
            for number in range(samples):
                await one(chosen[number % len(chosen)])

        await self._all([several()], timeout)
        medians = [round(statistics.median(times) * 1e6) if times else None for times in (acknowledgements, deliveries)]
        emit("round_trips", acknowledgement=medians[0], delivery=medians[1], count=len(deliveries))

    async def do_start_traffic(self, timeout: float, interval: int = 1_000) -> None:
        for client in self.clients:
            client.start_traffic(interval / 1_000)
        emit("traffic_started")

    async def do_stop_traffic(self, timeout: float) -> None:
        for client in self.clients:
            client.stop_traffic()

        def is_done(client: Client) -> bool:
            return client.traffic.missing == 0 and client.acknowledged >= client.traffic.sent

        await self._all([client.until(is_done) for client in self.clients], timeout)
        all_traffic = [client.traffic for client in self.clients]
        emit(
            "traffic",
            acknowledged=sum(min(client.acknowledged, client.traffic.sent) for client in self.clients),
            gap=round(1_000 * max(traffic.longest_gap for traffic in all_traffic)),
            **{
                name: sum(getattr(traffic, name) for traffic in all_traffic)
                for name in ("sent", "missing", "duplicates", "disordered")
            },
        )

    async def do_reconnected(self, timeout: float) -> None:
        await self._all([client.ready.wait() for client in self.clients], timeout)
        emit("reconnected", **self._state(self.clients))

    async def do_disconnect(self, timeout: float) -> None:
        for client in self.clients:
            client.leave()
        await self._all([client.until(lambda c: not c.ready.is_set()) for client in self.clients], timeout)
        emit("disconnected", count=sum(not client.ready.is_set() for client in self.clients))

    @staticmethod
    def _state(clients: list[Client]) -> dict[str, int]:
        return {
            "count": sum(client.ready.is_set() for client in clients),
            "refused": sum(client.refused for client in clients),
        }

    @staticmethod
    async def _all(work: list[Any], timeout: float) -> None:
        tasks = [asyncio.ensure_future(one) for one in work]
        _, late = await asyncio.wait(tasks, timeout=timeout)
        for task in late:
            task.cancel()


async def main() -> None:
    load = Load()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await load.perform(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main())
