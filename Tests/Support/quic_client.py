#!/usr/bin/env python3
"""A small MQTT client over QUIC, for examining a server by hand and for checking quic_front.py.

    quic_client.py --server localhost:14567 --ca ca.pem [--topic t] [--message m] [--count n] [--size bytes]
                   [--end disconnect | disconnect-no-fin | fin | reset | close | vanish] [--second-connect]

Connects (MQTT 3.1.1), subscribes to the topic with QoS 1, publishes the message to it, waits until it has come back,
ends in the chosen way, and prints the server's answer to that as JSON lines, with the seconds since that end.
Publishes a will ("gone") on the topic `will/<client id>`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from typing import Any

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration

import mqtt_build
from mqtt_scan import CONNACK, PUBLISH, SUBACK, Packet, PacketScanner


class Client(QuicConnectionProtocol):
    """Collects what arrives on the streams, and how they end."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.packets: asyncio.Queue[Packet] = asyncio.Queue()
        self.ended_at: float | None = None
        self._scanner = PacketScanner()

    def report(self, event: str, **fields: Any) -> None:
        after = round(time.monotonic() - self.ended_at, 3) if self.ended_at is not None else None
        print(json.dumps({"event": event, "after": after, **fields}), flush=True)

    def quic_event_received(self, event: events.QuicEvent) -> None:
        match event:
            case events.StreamDataReceived(stream_id=stream):
                if stream == 0:
                    for item in self._scanner.feed(event.data):
                        self.packets.put_nowait(item)
                elif event.data:
                    self.report("data", stream=stream, length=len(event.data))
                if event.end_stream:
                    self.report("fin", stream=stream)
            case events.StreamReset():
                self.report("stream_reset", stream=event.stream_id, code=event.error_code)
            case events.StopSendingReceived():
                self.report("stop_sending", stream=event.stream_id, code=event.error_code)
            case events.ConnectionTerminated():
                self.report(
                    "closed", code=event.error_code, application=event.frame_type is None, reason=event.reason_phrase
                )

    def send(self, data: bytes, fin: bool = False, stream: int = 0) -> None:
        self._quic.send_stream_data(stream, data, fin)
        self.transmit()

    async def expect(self, kind: int) -> Packet:
        while True:
            item = await asyncio.wait_for(self.packets.get(), 30)
            if item.type == kind:
                return item

    def end(self, how: str) -> None:
        self.ended_at = time.monotonic()
        disconnect = mqtt_build.disconnect()
        match how:
            case "disconnect":
                self.send(disconnect, fin=True)
            case "disconnect-no-fin":
                self.send(disconnect)
            case "fin":
                self.send(b"", fin=True)
            case "reset":
                self._quic.reset_stream(0, 7)
                self._quic.stop_stream(0, 7)
                self.transmit()
            case "close":
                self.close(0)
            case "vanish":
                os._exit(0)


async def run(arguments: argparse.Namespace) -> None:
    host, _, port = arguments.server.rpartition(":")
    configuration = QuicConfiguration(alpn_protocols=arguments.alpn or ["mqtt"], is_client=True)
    configuration.load_verify_locations(arguments.ca)
    if arguments.certificate:
        configuration.load_cert_chain(arguments.certificate, arguments.private_key)
    async with connect(host.strip("[]"), int(port), configuration=configuration, create_protocol=Client) as client:
        await session(client, arguments)
        await asyncio.wait_for(client.wait_closed(), 30)


async def session(client: Client, arguments: argparse.Namespace) -> None:
    will = f"will/{arguments.client_id}"
    client.send(mqtt_build.connect(arguments.client_id, keep_alive=arguments.keep_alive, will_topic=will))
    connack = await client.expect(CONNACK)
    client.report("connack", code=connack.head[1])
    if arguments.second_connect:
        client.send(mqtt_build.connect("another"), stream=4)
    if arguments.count:
        client.send(mqtt_build.subscribe(1, arguments.topic, 1))
        await client.expect(SUBACK)
        payload = arguments.message.encode() if arguments.size is None else bytes(arguments.size)
        started = time.monotonic()
        for _ in range(arguments.count):
            client.send(mqtt_build.publish(arguments.topic, payload))
        for _ in range(arguments.count):
            await client.expect(PUBLISH)
        seconds = time.monotonic() - started
        client.report("echoed", messages=arguments.count, bytes=len(payload), seconds=round(seconds, 3))
    if arguments.hold:
        await asyncio.sleep(arguments.hold)
    client.end(arguments.end)


def main() -> None:
    parser = argparse.ArgumentParser(description="MQTT over QUIC, by hand")
    parser.add_argument("--server", required=True, help="host:port")
    parser.add_argument("--ca", required=True, help="PEM file")
    parser.add_argument("--certificate", help="PEM file of a client certificate")
    parser.add_argument("--private-key", help="PEM file of its key")
    parser.add_argument("--alpn", action="append")
    parser.add_argument("--client-id", default="quic-client")
    parser.add_argument("--keep-alive", type=int, default=60)
    parser.add_argument("--topic", default="test")
    parser.add_argument("--message", default="hello")
    parser.add_argument("--size", type=int, help="payload of so many zero bytes instead of the message")
    parser.add_argument("--count", type=int, default=1, help="messages to publish and receive")
    parser.add_argument("--hold", type=float, default=0, help="seconds to stay connected before the end")
    parser.add_argument("--second-connect", action="store_true", help="send a CONNECT on a second stream too")
    parser.add_argument(
        "--end", default="disconnect", choices=["disconnect", "disconnect-no-fin", "fin", "reset", "close", "vanish"]
    )
    try:
        asyncio.run(run(parser.parse_args()))
    except (ConnectionError, TimeoutError) as error:
        sys.exit(f"error: {type(error).__name__} {error}")


if __name__ == "__main__":
    main()
