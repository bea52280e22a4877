"""Scenarios of serve_client.py that send what no client would send: floods, unknown versions and connection IDs."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aioquic import tls
from aioquic.quic.connection import QuicConnection
from aioquic.quic.crypto import CryptoPair
from aioquic.quic.packet import QuicFrameType, QuicPacketType, QuicProtocolVersion
from aioquic.quic.packet_builder import QuicPacketBuilder

from mqtt_quic import Failure, Target, client
from serve_context import Context, echo

UNKNOWN_VERSION = 0x1A2A3A4A
#: The smallest datagram that may begin a connection.
INITIAL_SIZE = 1_200
CONNECTION_ID_SIZE = 8
#: The most sockets that a flood comes from.
MOST_SOCKETS = 500


@dataclass
class Answers:
    """Collects the datagrams that come back."""

    datagrams: list[bytes] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        kinds = Counter(kind_of(datagram) for datagram in self.datagrams)
        return {
            "datagrams": len(self.datagrams),
            "bytes": sum(len(datagram) for datagram in self.datagrams),
            "kinds": dict(kinds),
        }


def kind_of(datagram: bytes) -> str:
    """The type of the first packet in a datagram (RFC 9000 17, version 1)."""
    if not datagram[0] & 0x80:
        return "short"
    if datagram[1:5] == bytes(4):
        return "version_negotiation"
    return ("initial", "0rtt", "handshake", "retry")[datagram[0] >> 4 & 3]


class _Probe(asyncio.DatagramProtocol):
    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._answers.datagrams.append(data)

    def error_received(self, exc: Exception) -> None:
        """The port is closed. The missing answers show that too."""


async def _open(udp: socket.socket, answers: Answers) -> asyncio.DatagramTransport:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Probe(answers), sock=udp)
    return transport


async def exchange(target: Target, datagrams: list[bytes], seconds: float) -> Answers:
    """Sends these datagrams from a new socket and collects what comes back."""
    answers = Answers()
    transport = await _open(target.bound_socket(), answers)
    for datagram in datagrams:
        transport.sendto(datagram, target.address)
    await asyncio.sleep(seconds)
    transport.close()
    return answers


async def version(context: Context) -> None:
    """An unknown version is answered by Version Negotiation, unless the datagram is too small to begin a connection."""
    destination, source = os.urandom(CONNECTION_ID_SIZE), os.urandom(CONNECTION_ID_SIZE)
    header = b"\xc0" + UNKNOWN_VERSION.to_bytes(4, "big")
    header += bytes([len(destination)]) + destination + bytes([len(source)]) + source
    answers = await exchange(context.target, [header + os.urandom(INITIAL_SIZE - len(header))], seconds=1)
    context.report("answers", sent=INITIAL_SIZE, **answers.summary())
    if [kind_of(datagram) for datagram in answers.datagrams] != ["version_negotiation"]:
        raise Failure("an unknown version was not answered by one Version Negotiation packet")
    ids, versions = _version_negotiation(answers.datagrams[0])
    context.report("version_negotiation", versions=[f"{one:#010x}" for one in versions])
    if ids != (source, destination):
        raise Failure("Version Negotiation does not have the client's connection IDs, exchanged")
    if QuicProtocolVersion.VERSION_1 not in versions or UNKNOWN_VERSION in versions:
        raise Failure("Version Negotiation does not list version 1, or lists the unknown one")
    small = await exchange(context.target, [header + os.urandom(100)], seconds=1)
    context.report("answers", sent=len(header) + 100, **small.summary())
    if small.datagrams:
        raise Failure("a small datagram of an unknown version was answered")


def _version_negotiation(data: bytes) -> tuple[tuple[bytes, bytes], list[int]]:
    """Destination and source connection ID, and the versions (RFC 9000 17.2.1)."""
    position, ids = 5, []
    for _ in range(2):
        length = data[position]
        ids.append(data[position + 1 : position + 1 + length])
        position += 1 + length
    versions = [int.from_bytes(data[index : index + 4], "big") for index in range(position, len(data), 4)]
    return (ids[0], ids[1]), versions


async def unknown_connection_id(context: Context) -> None:
    """A packet of an unknown connection is answered by a stateless reset that is smaller than the packet."""
    for size in (1_200, 100, 43):
        packet = bytes([0x40 | os.urandom(1)[0] & 0x3F]) + os.urandom(size - 1)
        answers = await exchange(context.target, [packet], seconds=0.5)
        context.report("answers", sent=size, **answers.summary())
        if len(answers.datagrams) != 1 or kind_of(answers.datagrams[0]) != "short":
            raise Failure(f"a packet of {size} bytes was not answered by one stateless reset")
        length = len(answers.datagrams[0])
        if not 21 <= length < size:
            raise Failure(f"a packet of {size} bytes was answered by a stateless reset of {length}")
    answers = await exchange(context.target, [b"\x40" + os.urandom(20)], seconds=0.5)
    context.report("answers", sent=21, **answers.summary())
    if answers.datagrams:
        raise Failure("a packet as small as the smallest stateless reset was answered: that could go on for ever")


async def flood(context: Context) -> None:
    """Sends Initials from many addresses and ports without continuing; an honest client must still get through."""
    count = context.arguments.count
    answers = Answers()
    sockets = _flood_sockets(context.target, min(count, MOST_SOCKETS), context.arguments.addresses)
    transports = [await _open(udp, answers) for udp in sockets]
    make = _initials(context.target)
    start = context.elapsed
    for number in range(count):
        transports[number % len(transports)].sendto(make(), context.target.address)
        if number % 20 == 19:
            await asyncio.sleep(0)
    context.report("flooded", initials=count, sockets=len(sockets), seconds=round(context.elapsed - start, 3))
    start, topic = context.elapsed, f"{context.name}/echo"
    async with client(context.target) as peer:
        context.report_connection(peer)
        stream = peer.open()
        await stream.connect(context.name)
        await stream.subscribe(topic)
        await echo(stream, topic, b"honest")
        await stream.disconnect()
    context.report("honest", seconds=round(context.elapsed - start, 3))
    await asyncio.sleep(context.arguments.pause)
    for transport in transports:
        transport.close()
    summary = answers.summary()
    amplification = round(summary["bytes"] / (count * INITIAL_SIZE), 3)
    context.report("answers", sent=count * INITIAL_SIZE, amplification=amplification, **summary)
    if amplification > 3:
        raise Failure(f"{amplification} times as many bytes came back as were sent")


def _flood_sockets(target: Target, count: int, addresses: int) -> list[socket.socket]:
    """Sockets on ports of their own, distributed over so many loopback addresses."""
    if not target.address[0].startswith("127."):
        return [target.bound_socket() for _ in range(count)]
    sockets = []
    for number in range(count):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        place = number % addresses
        udp.bind((f"127.7.{place // 250}.{place % 250 + 1}", 0))
        sockets.append(udp)
    return sockets


def _initials(target: Target) -> Any:
    """A function that makes Initials, each with another connection ID but with the same ClientHello."""
    quic = QuicConnection(configuration=target.configuration())
    quic.connect(target.address, now=0)
    hello = bytes(quic._crypto_streams[tls.Epoch.INITIAL].sender._buffer)

    def make() -> bytes:
        destination = os.urandom(CONNECTION_ID_SIZE)
        keys = CryptoPair()
        keys.setup_initial(cid=destination, is_client=True, version=QuicProtocolVersion.VERSION_1)
        builder = QuicPacketBuilder(
            host_cid=quic.host_cid,
            is_client=True,
            max_datagram_size=INITIAL_SIZE,
            peer_cid=destination,
            version=QuicProtocolVersion.VERSION_1,
        )
        builder.start_packet(QuicPacketType.INITIAL, keys)
        buffer = builder.start_frame(QuicFrameType.CRYPTO, capacity=len(hello) + 8)
        buffer.push_uint_var(0)
        buffer.push_uint16(len(hello) | 0x4000)
        buffer.push_bytes(hello)
        datagrams, _ = builder.flush()
        return bytes(datagrams[0])

    return make
