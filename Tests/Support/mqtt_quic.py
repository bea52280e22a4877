"""MQTT clients over QUIC for tests: a connection with any number of streams, each with a session or a part of one.

Every expected event is awaited with a time limit. An event that does not come, or is different, is a `Failure`.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.tls import SessionTicket
from cryptography.hazmat.primitives.serialization import Encoding

import mqtt_build
from mqtt_scan import CONNACK, PUBACK, PUBLISH, SUBACK, UNSUBACK, Packet, PacketScanner

#: The time in seconds that anything may take. Only a failing test waits that long.
PATIENCE = 20.0

#: Bytes of the largest packet that a test receives and examines.
LARGEST_PACKET = 64 << 20

T = TypeVar("T")


class Failure(Exception):
    """An expected event did not happen."""


async def within(what: str, awaitable: Awaitable[T], patience: float = PATIENCE) -> T:
    try:
        return await asyncio.wait_for(awaitable, patience)
    except TimeoutError:
        raise Failure(f"{what} did not come within {patience} s") from None


@dataclass(frozen=True)
class Target:
    """Where to connect, and how."""

    address: tuple[str, int]
    ca: str
    alpn: tuple[str, ...] = ("mqtt",)
    server_name: str = "localhost"
    certificate: str | None = None
    private_key: str | None = None
    #: Keepalive in CONNECT, in seconds; also the idle timeout of QUIC.
    keep_alive: int = 60
    version: int = mqtt_build.MQTT_3_1_1
    username: str | None = None
    password: str | None = None
    #: Bytes of the largest DATAGRAM frame that the client accepts; None does not announce the extension.
    datagram_size: int | None = None

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET

    def bound_socket(self) -> socket.socket:
        """A UDP socket on a port that the system chooses, on loopback if the server is there."""
        udp = socket.socket(self.family, socket.SOCK_DGRAM)
        udp.setblocking(False)
        local = {"127.0.0.1": "127.0.0.1", "::1": "::1"}.get(self.address[0], "::" if ":" in self.address[0] else "")
        udp.bind((local, 0))
        return udp

    def configuration(self, ticket: SessionTicket | None = None) -> QuicConfiguration:
        configuration = QuicConfiguration(
            is_client=True,
            alpn_protocols=list(self.alpn),
            server_name=self.server_name,
            session_ticket=ticket,
            idle_timeout=1.5 * self.keep_alive,
            max_datagram_frame_size=self.datagram_size,
        )
        configuration.load_verify_locations(self.ca)
        if self.certificate is not None:
            configuration.load_cert_chain(self.certificate, self.private_key)
        return configuration


@dataclass
class Traffic:
    """Counts what went over the socket."""

    sent: list[bytes] = field(default_factory=list)
    #: Datagrams that were sent before the first answer arrived.
    first_flight: list[bytes] = field(default_factory=list)
    received_datagrams: int = 0
    received_bytes: int = 0


class _Socket(asyncio.DatagramProtocol):
    """One UDP socket of a client. A client can change its socket."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def sendto(self, data: bytes, address: Any) -> None:
        if self._client.traffic.received_datagrams == 0:
            self._client.traffic.first_flight.append(data)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, address)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._client.traffic.received_datagrams += 1
        self._client.traffic.received_bytes += len(data)
        self._client.datagram_received(data, addr)

    def error_received(self, exc: Exception) -> None:
        """ICMP says that the port is closed. QUIC has its own timeout for that."""

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    @property
    def port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])


class Client(QuicConnectionProtocol):
    """One QUIC connection of a client."""

    def __init__(self, quic: QuicConnection, target: Target) -> None:
        super().__init__(quic)
        self.target = target
        self.traffic = Traffic()
        self.handshake: events.HandshakeCompleted | None = None
        self.termination: events.ConnectionTerminated | None = None
        self.streams: dict[int, Stream] = {}
        self._changed = asyncio.Event()
        self._socket: _Socket | None = None

    # Connection

    async def bind(self) -> int:
        """Continues on a new socket, as behind a NAT that has forgotten the old mapping. Returns its port."""
        _, protocol = await self._loop.create_datagram_endpoint(
            lambda: _Socket(self), sock=self.target.bound_socket()
        )
        if self._socket is not None:
            self._socket.close()
        self._socket = protocol
        self._transport = protocol
        return protocol.port

    def unbind(self) -> None:
        if self._socket is not None:
            self._socket.close()

    async def handshaken(self, patience: float = PATIENCE) -> events.HandshakeCompleted:
        await self.until("the handshake", lambda: self.handshake is not None, patience)
        assert self.handshake is not None
        return self.handshake

    async def until(self, what: str, condition: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Waits until events make the condition true. The end of the connection is a failure."""

        async def wait() -> None:
            while not condition():
                if self.termination is not None:
                    raise Failure(f"waited for {what}, and the connection was closed: {self.describe_termination()}")
                self._changed.clear()
                await self._changed.wait()

        await within(what, wait(), patience)

    async def terminated(self, patience: float = PATIENCE) -> events.ConnectionTerminated:
        await within("the end of the connection", self.wait_closed(), patience)
        assert self.termination is not None
        return self.termination

    def describe_termination(self) -> dict[str, Any]:
        if self.termination is None:
            return {}
        application = self.termination.frame_type is None
        reason = self.termination.reason_phrase
        return {"code": self.termination.error_code, "application": application, "reason": reason}

    @property
    def retried(self) -> bool:
        return self._quic._retry_count > 0

    @property
    def stream_credit(self) -> int:
        """The number of bidirectional streams that the server lets this client open in all."""
        return self._quic._remote_max_streams_bidi

    @property
    def certificate_fingerprint(self) -> str | None:
        certificate = self._quic.tls._peer_certificate
        if certificate is None:
            return None
        return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()

    # Streams

    def open(self) -> Stream:
        """A new stream. The server notices it when something is sent on it."""
        stream_id = self._quic.get_next_available_stream_id()
        self._quic.send_stream_data(stream_id, b"")
        return self.stream(stream_id)

    def stream(self, stream_id: int) -> Stream:
        if stream_id not in self.streams:
            self.streams[stream_id] = Stream(self, stream_id)
        return self.streams[stream_id]

    def send(self, stream_id: int, data: bytes, fin: bool, transmit: bool = True) -> None:
        self._quic.send_stream_data(stream_id, data, fin)
        if transmit:
            self.transmit()

    def abandon(self, stream_id: int, code: int, reset: bool = True, stop: bool = True) -> None:
        if reset:
            self._quic.reset_stream(stream_id, code)
        if stop:
            self._quic.stop_stream(stream_id, code)
        self.transmit()

    def quic_event_received(self, event: events.QuicEvent) -> None:
        match event:
            case events.HandshakeCompleted():
                self.handshake = event
            case events.StreamDataReceived():
                self.stream(event.stream_id).received(event.data, event.end_stream)
            case events.StreamReset():
                self.stream(event.stream_id).reset_code = event.error_code
            case events.StopSendingReceived():
                self.stream(event.stream_id).stop_code = event.error_code
            case events.ConnectionTerminated():
                self.termination = event
        self._changed.set()


class Stream:
    """One bidirectional stream and the MQTT on it."""

    def __init__(self, client: Client, stream_id: int) -> None:
        self.id = stream_id
        self.fin = False
        self.reset_code: int | None = None
        self.stop_code: int | None = None
        self.bytes_received = 0
        self.packets: list[Packet] = []
        self._client = client
        self._scanner = PacketScanner(kept=LARGEST_PACKET)
        self._version = client.target.version
        self._packet_id = 0

    def received(self, data: bytes, end: bool) -> None:
        self.bytes_received += len(data)
        self.packets += self._scanner.feed(data)
        self.fin = self.fin or end

    @property
    def is_over(self) -> bool:
        """Whether the server has ended its direction."""
        return self.fin or self.reset_code is not None

    def send(self, data: bytes, fin: bool = False, transmit: bool = True) -> None:
        self._client.send(self.id, data, fin, transmit)

    def reset(self, code: int = 0) -> None:
        """Sends RESET_STREAM and STOP_SENDING."""
        self._client.abandon(self.id, code)

    async def expect(self, kind: int, patience: float = PATIENCE) -> Packet:
        """The next packet of this type; other packets stay in the queue."""
        what = f"packet type {kind} on stream {self.id}"
        found: list[Packet] = []

        def look() -> bool:
            for index, item in enumerate(self.packets):
                if item.type == kind:
                    found.append(self.packets.pop(index))
                    return True
            if self.is_over:
                raise Failure(f"waited for {what}, and the stream ended: {self.describe_end()}")
            return False

        await self._client.until(what, look, patience)
        return found[0]

    async def over(self, patience: float = PATIENCE) -> None:
        """Waits until the server has ended its direction, by FIN or by RESET_STREAM."""
        await self._client.until(f"the end of stream {self.id}", lambda: self.is_over, patience)

    def describe_end(self) -> dict[str, Any]:
        return {"stream": self.id, "fin": self.fin, "reset": self.reset_code, "stop_sending": self.stop_code}

    # MQTT

    def connect_packet(self, client_id: str, will_topic: str | None = None) -> bytes:
        target = self._client.target
        return mqtt_build.connect(
            client_id, self._version, target.keep_alive, will_topic, username=target.username, password=target.password
        )

    async def connect(self, client_id: str, will_topic: str | None = None) -> None:
        self.send(self.connect_packet(client_id, will_topic))
        await self.connected()

    async def connected(self) -> None:
        connack = await self.expect(CONNACK)
        if connack.head[1] != 0:
            raise Failure(f"CONNACK on stream {self.id} has code {connack.head[1]}")

    async def subscribe(self, topic: str, qos: int = 0) -> None:
        self.send(mqtt_build.subscribe(self._next_packet_id(), topic, qos, self._version))
        suback = await self.expect(SUBACK)
        if suback.head[-1] > 2:
            raise Failure(f"SUBACK on stream {self.id} has code {suback.head[-1]}")

    async def unsubscribe(self, topic: str) -> int | None:
        """Returns the reason code, which MQTT 3.1.1 does not have."""
        self.send(mqtt_build.unsubscribe(self._next_packet_id(), topic, self._version))
        unsuback = await self.expect(UNSUBACK)
        return unsuback.head[-1] if self._version == mqtt_build.MQTT_5 else None

    async def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        """Publishes and, with QoS 1, awaits the PUBACK."""
        self.send(mqtt_build.publish(topic, payload, qos, self._next_packet_id(), retain, self._version))
        if qos:
            await self.expect(PUBACK)

    async def message(self, patience: float = PATIENCE) -> tuple[str, bytes]:
        """Topic and payload of the next PUBLISH, which must have QoS 0."""
        head = (await self.expect(PUBLISH, patience)).head
        end = 2 + int.from_bytes(head[:2], "big")
        properties = 1 + head[end] if self._version == mqtt_build.MQTT_5 else 0
        return head[2:end].decode(), head[end + properties :]

    async def disconnect(self) -> None:
        """Sends DISCONNECT with FIN, and waits for the FIN that answers it."""
        self.send(mqtt_build.disconnect(), fin=True)
        await self.over()
        if not self.fin:
            raise Failure(f"DISCONNECT with FIN was not answered by FIN: {self.describe_end()}")

    def _next_packet_id(self) -> int:
        self._packet_id = self._packet_id % 65_535 + 1
        return self._packet_id


@asynccontextmanager
async def client(
    target: Target,
    ticket: SessionTicket | None = None,
    tickets: list[SessionTicket] | None = None,
    early: Callable[[Client], None] | None = None,
    patience: float = PATIENCE,
) -> AsyncIterator[Client]:
    """A connected client that is closed at the end.

    `ticket` resumes a session; `tickets` collects the tickets that the server sends; `early` queues the data for the
    first flight, which is early data if the ticket allows it.
    """
    connection = QuicConnection(
        configuration=target.configuration(ticket),
        session_ticket_handler=tickets.append if tickets is not None else None,
    )
    peer = Client(connection, target)
    await peer.bind()
    try:
        peer.connect(target.address, transmit=early is None)
        if early is not None:
            early(peer)
            peer.transmit()
        await peer.handshaken(patience)
        yield peer
    finally:
        peer.close(0)
        # aioquic itself waits for the closing period (RFC 9000 10.2).
        peer.unbind()
