"""One client of the QUIC front: a QUIC connection, its control stream, and the TCP connection to the broker.

The ways it ends, as EMQX does it (the broker publishes the will unless it saw a DISCONNECT):

    the client does           the front does
    DISCONNECT with FIN       FIN, APPLICATION_CLOSE 0 after 0.16 s
    DISCONNECT, no FIN        FIN, APPLICATION_CLOSE 0 after 3.2 s
    FIN alone                 ends TCP, FIN, APPLICATION_CLOSE 0 after 0.1 s
    RESET_STREAM(code)        aborts TCP, RESET_STREAM(code), APPLICATION_CLOSE 0 after 3.2 s
    CONNECTION_CLOSE, silence aborts TCP
    (the broker ends)         passes its last bytes on, FIN, APPLICATION_CLOSE 0 (1 after 3 s where the client id
                              was taken over)
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aioquic import tls
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.buffer import Buffer
from aioquic.quic import events
from aioquic.quic.connection import END_STATES, MAX_STREAM_DATA_FRAME_CAPACITY, Limit, QuicConnection
from aioquic.quic.packet import (
    QuicErrorCode,
    QuicFrameType,
    pull_quic_transport_parameters,
    push_quic_transport_parameters,
)

from mqtt_scan import CONNECT, DISCONNECT, ConnectInfo, Packet, PacketScanner, parse_connect

CONTROL_STREAM = 0
MAX_BIDIRECTIONAL_STREAMS = 10
SESSION_TAKEN_OVER = 0x8E
DISCONNECT_TAKEN_OVER = bytes([0xE0, 0x01, SESSION_TAKEN_OVER])

#: Bytes of the largest datagram that EMQX receives.
MAX_UDP_PAYLOAD = 1_472
#: Flow-control window of the control stream, in bytes.
STREAM_WINDOW = 65_536
#: Unacknowledged bytes towards the client above which the broker is not read, and below which it is read again.
SEND_HIGH_WATER, SEND_LOW_WATER = 262_144, 65_536

HANDSHAKE_TIMEOUT = 10.0
NO_TIMEOUT = 86_400.0

CLOSE_AFTER_FIN = 0.16
CLOSE_AFTER_BARE_FIN = 0.1
CLOSE_WITHOUT_FIN = 3.2
CLOSE_AFTER_TAKEOVER = 3.0

Emit = Callable[..., None]


@dataclass(frozen=True)
class FrontSettings:
    broker: tuple[str, int]
    #: PEM file; None asks clients for no certificate.
    client_ca: str | None = None
    #: Seconds; None: 1.5 x the MQTT keepalive.
    idle_timeout: float | None = None
    reports_packets: bool = True


class FrontConnection(QuicConnectionProtocol):
    """Owns both sides of one client."""

    _numbers = itertools.count(1)

    def __init__(
        self, quic: QuicConnection, settings: FrontSettings, emit: Emit, connections: set[FrontConnection]
    ) -> None:
        super().__init__(quic)
        self.number = next(self._numbers)
        self.connect: ConnectInfo | None = None
        self._settings = settings
        self._emit_event = emit
        self._connections = connections
        self._idle = HANDSHAKE_TIMEOUT
        self._announced = False
        self._closed_by: str | None = None
        self._close_timer: asyncio.TimerHandle | None = None
        # The control stream, both directions.
        self._from_client = PacketScanner()
        self._from_broker = PacketScanner()
        self._broker: BrokerLeg | None = None
        self._received = 0
        self._client_fin = False
        self._client_disconnected = False
        self._taken_over = False
        self._finished = False
        self._refused: set[int] = set()
        connections.add(self)
        self._adjust_engine()

    def emit(self, event: str, **fields: Any) -> None:
        self._emit_event(event, connection=self.number, **fields)

    # What aioquic has no setting for. Its version is pinned in requirements.txt.

    def _adjust_engine(self) -> None:
        quic = self._quic
        quic._local_max_streams_bidi = Limit(
            QuicFrameType.MAX_STREAMS_BIDI, "max_streams_bidi", MAX_BIDIRECTIONAL_STREAMS
        )
        quic._local_active_connection_id_limit = 4
        quic._idle_timeout = self._idle_timeout
        quic._serialize_transport_parameters = partial(_with_limits_of_emqx, quic._serialize_transport_parameters)
        quic._write_stream_limits = self._write_stream_limits
        if self._settings.client_ca is not None:
            initialize = quic._initialize

            def initialize_with_request(peer_cid: bytes) -> None:
                initialize(peer_cid)
                quic.tls._request_client_certificate = True

            quic._initialize = initialize_with_request

    def _idle_timeout(self) -> float:
        """Seconds of silence after which the connection is dropped: the smaller of both sides' wishes."""
        idle = self._settings.idle_timeout or self._idle
        remote = self._quic._remote_max_idle_timeout
        return max(min(idle, remote) if remote else idle, 3 * self._quic._loss.get_probe_timeout())

    def _write_stream_limits(self, builder: Any, space: Any, stream: Any) -> None:
        """Grants credit by what the broker has taken; aioquic's own doubles the window each time."""
        if stream.stream_id == CONTROL_STREAM:
            limit = self._received - self._unwritten_to_broker() + STREAM_WINDOW
            if limit - stream.max_stream_data_local >= STREAM_WINDOW // 4:
                stream.max_stream_data_local = limit
        if stream.max_stream_data_local_sent != stream.max_stream_data_local:
            buffer = builder.start_frame(
                QuicFrameType.MAX_STREAM_DATA,
                capacity=MAX_STREAM_DATA_FRAME_CAPACITY,
                handler=self._quic._on_max_stream_data_delivery,
                handler_args=(stream,),
            )
            buffer.push_uint_var(stream.stream_id)
            buffer.push_uint_var(stream.max_stream_data_local)
            stream.max_stream_data_local_sent = stream.max_stream_data_local

    def _unwritten_to_broker(self) -> int:
        return self._broker.unwritten if self._broker is not None else 0

    # Datagrams and events.

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        if not self._announced:
            self._announced = True
            self.emit("connection", peer=f"{addr[0]}:{addr[1]}")
        super().datagram_received(data, addr)
        self._notice_close()
        self._resume_broker()

    def quic_event_received(self, event: events.QuicEvent) -> None:
        match event:
            case events.HandshakeCompleted():
                self._handshake_completed(event)
            case events.StreamDataReceived():
                self._stream_data(event)
            case events.StreamReset():
                self._stream_reset(event)
            case events.StopSendingReceived():
                self._stop_sending(event)
            case events.ConnectionTerminated():
                self._terminated(event)

    def _handshake_completed(self, event: events.HandshakeCompleted) -> None:
        problem = self._client_certificate_problem()
        if problem is not None:
            alert, reason = problem
            self.emit("client_refused", reason=reason)
            self._closed_by = "server"
            self._quic.close(QuicErrorCode.CRYPTO_ERROR + alert, QuicFrameType.CRYPTO, reason)
            return
        self._idle = NO_TIMEOUT
        self.emit("handshake", alpn=event.alpn_protocol, resumed=event.session_resumed)

    def _client_certificate_problem(self) -> tuple[int, str] | None:
        """The TLS alert and the reason to refuse this client with. aioquic asks for a certificate but trusts any."""
        if self._settings.client_ca is None:
            return None
        certificate = self._quic.tls._peer_certificate
        if certificate is None:
            return 116, "a client certificate is required"
        try:
            tls.verify_certificate(
                certificate, self._quic.tls._peer_certificate_chain, cafile=self._settings.client_ca
            )
        except tls.Alert as error:
            return int(error.description), str(error)
        return None

    # From the client.

    def _stream_data(self, event: events.StreamDataReceived) -> None:
        stream = event.stream_id
        if stream != CONTROL_STREAM:
            # The room of EMQX's data streams. A CONNECT is refused there in the same way.
            if stream not in self._refused:
                self._refused.add(stream)
                self.emit("stream_opened", stream=stream, control=False)
                self._refuse(stream)
            return
        if self._broker is None:
            self.emit("stream_opened", stream=stream, control=True)
            self._broker = BrokerLeg(self, self._settings.broker)
        self._received += len(event.data)
        for packet in self._from_client.feed(event.data):
            self._packet("client", packet)
        self._broker.write(event.data)
        if event.end_stream:
            self.emit("fin", stream=stream)
            self._client_fin = True
            self._broker.finish()

    def _refuse(self, stream: int) -> None:
        self._quic.reset_stream(stream, 0)
        self._quic.stop_stream(stream, 0)

    def _packet(self, sender: str, packet: Packet) -> None:
        details: dict[str, Any] = {}
        if sender == "client" and packet.type == CONNECT and self.connect is None:
            self.connect = parse_connect(packet.head)
            if self.connect is not None:
                self._idle = self.connect.keep_alive * 1.5 or NO_TIMEOUT
                details = {
                    "client_id": self.connect.client_id,
                    "keep_alive": self.connect.keep_alive,
                    "version": self.connect.version,
                }
        elif packet.type == DISCONNECT:
            details = {"reason_code": packet.head[0] if packet.head else 0}
            if sender == "client":
                self._client_disconnected = True
            elif details["reason_code"] == SESSION_TAKEN_OVER:
                self._taken_over = True
        if self._settings.reports_packets:
            self.emit("packet", sender=sender, type=packet.name, length=packet.length, **details)

    def _stream_reset(self, event: events.StreamReset) -> None:
        self.emit("stream_reset", stream=event.stream_id, code=event.error_code)
        if event.stream_id == CONTROL_STREAM:
            self._abandon_control_stream(event.error_code)
        else:
            self._quic.reset_stream(event.stream_id, event.error_code)

    def _stop_sending(self, event: events.StopSendingReceived) -> None:
        """aioquic has answered with RESET_STREAM of the same code already."""
        self.emit("stop_sending", stream=event.stream_id, code=event.error_code)
        if event.stream_id == CONTROL_STREAM:
            self._abandon_control_stream(event.error_code)

    def _abandon_control_stream(self, code: int) -> None:
        self._quic.reset_stream(CONTROL_STREAM, code)
        self._finished = True
        self._end_broker()
        self._close_later(CLOSE_WITHOUT_FIN, 0)

    # From the broker; called by BrokerLeg.

    def broker_data(self, data: bytes) -> None:
        for packet in self._from_broker.feed(data):
            self._packet("broker", packet)
        if self._finished or self._closed_by is not None:
            return
        self._quic.send_stream_data(CONTROL_STREAM, data)
        if self._unacknowledged() > SEND_HIGH_WATER and self._broker is not None:
            self._broker.pause_reading()
        self.transmit()

    def broker_wrote(self) -> None:
        """The broker took bytes: there may be credit to grant."""
        if self._closed_by is None:
            self.transmit()

    def broker_closed(self, error: str | None) -> None:
        """The broker's last byte has come. Its end becomes FIN, and a close of the connection a little later."""
        self.emit("broker_closed", error=error)
        if self._finished or self._closed_by is not None:
            return
        self._finished = True
        taken_over = self._taken_over or self._has_successor()
        speaks_5 = self.connect is not None and self.connect.version == 5
        # Mosquitto 2.0.11 closes the older connection without a word; EMQX has this one for MQTT 5.
        last = DISCONNECT_TAKEN_OVER if taken_over and speaks_5 and not self._taken_over else b""
        self._quic.send_stream_data(CONTROL_STREAM, last, end_stream=True)
        if taken_over:
            if speaks_5 and not self._client_fin:
                self._quic.stop_stream(CONTROL_STREAM, SESSION_TAKEN_OVER)
            self._close_later(CLOSE_AFTER_TAKEOVER, 1)
        elif self._client_disconnected and not self._client_fin:
            self._close_later(CLOSE_WITHOUT_FIN, 0)
        else:
            self._close_later(CLOSE_AFTER_FIN if self._client_disconnected else CLOSE_AFTER_BARE_FIN, 0)
        self.transmit()

    def _has_successor(self) -> bool:
        """Whether a newer connection of the same client id is there: MQTT 3.1.1 has no packet that says so."""
        mine = self.connect
        return mine is not None and any(
            other.number > self.number and other.connect is not None and other.connect.client_id == mine.client_id
            for other in self._connections
        )

    def _unacknowledged(self) -> int:
        stream = self._quic._streams.get(CONTROL_STREAM)
        return len(stream.sender._buffer) if stream is not None else 0

    def _resume_broker(self) -> None:
        if self._broker is not None and self._unacknowledged() < SEND_LOW_WATER:
            self._broker.resume_reading()

    # Ends.

    def close_from_server(self, code: int, reason: str = "") -> None:
        """APPLICATION_CLOSE, at once."""
        if self._closed_by is None:
            self._closed_by = "server"
            self._end_broker()
            # Without a frame type, aioquic sends the application's kind of CONNECTION_CLOSE.
            self.close(code, reason)

    def _close_later(self, delay: float, code: int) -> None:
        """Closes after `delay` seconds, and not before the client has acknowledged all bytes and the FIN."""
        if self._close_timer is None:
            self._close_timer = self._loop.call_later(delay, self._close_when_delivered, code, 50)

    def _close_when_delivered(self, code: int, patience: int) -> None:
        stream = self._quic._streams.get(CONTROL_STREAM)
        if stream is None or stream.sender.is_finished or patience == 0:
            self.close_from_server(code)
        else:
            self._close_timer = self._loop.call_later(0.1, self._close_when_delivered, code, patience - 1)

    def _notice_close(self) -> None:
        """The client's CONNECTION_CLOSE ends the session at once; aioquic reports it only after its draining period."""
        if self._closed_by is None and self._quic._close_event is not None and self._quic._state in END_STATES:
            self._closed_by = "client"
            self._end_broker()

    def _end_broker(self) -> None:
        if self._broker is not None:
            # A DISCONNECT that was written must still arrive, or the will would be published.
            if self._client_disconnected:
                self._broker.finish()
            else:
                self._broker.abort()

    def _terminated(self, event: events.ConnectionTerminated) -> None:
        if self._closed_by is None:
            self._closed_by = "idle" if event.reason_phrase == "Idle timeout" else "client"
        self._end_broker()
        self._connections.discard(self)
        if self._close_timer is not None:
            self._close_timer.cancel()
        self.emit(
            "closed",
            by=self._closed_by,
            code=event.error_code,
            application=event.frame_type is None,
            reason=event.reason_phrase,
            client_id=self.connect.client_id if self.connect is not None else None,
        )


def _with_limits_of_emqx(serialize: Callable[[], bytes]) -> bytes:
    """The transport parameters, less the idle timeout and with EMQX's datagram size."""
    parameters = pull_quic_transport_parameters(Buffer(data=serialize()))
    parameters.max_idle_timeout = None
    parameters.max_udp_payload_size = MAX_UDP_PAYLOAD
    buffer = Buffer(capacity=4096)
    push_quic_transport_parameters(buffer, parameters)
    return buffer.data


class BrokerLeg(asyncio.Protocol):
    """The TCP connection to the broker. Bytes written before it stands are kept; the stream's window bounds them."""

    def __init__(self, owner: FrontConnection, address: tuple[str, int]) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._early = bytearray()
        self._finish_requested = False
        self._reading = True
        self._over = False
        self._opening = asyncio.ensure_future(self._open(address))

    async def _open(self, address: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self, *address)
        except OSError as error:
            self._end(str(error))

    @property
    def unwritten(self) -> int:
        """Bytes the broker has not taken yet."""
        waiting = self._transport.get_write_buffer_size() if self._transport is not None else 0
        return len(self._early) + waiting

    def write(self, data: bytes) -> None:
        if self._over:
            return
        if self._transport is None:
            self._early += data
        else:
            self._transport.write(data)

    def finish(self) -> None:
        """Ends the connection after what has been written, by half: the broker answers with its own end.

        A close would be a reset where the broker's bytes are still unread, and could overtake the DISCONNECT.
        """
        self._finish_requested = True
        self.resume_reading()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()

    def abort(self) -> None:
        """Ends the connection now."""
        self._opening.cancel()
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        if self._reading and self._transport is not None and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._reading and self._transport is not None and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # resume_writing at every crossing below this: it is what grants new credit to the client.
        transport.set_write_buffer_limits(high=STREAM_WINDOW // 2, low=STREAM_WINDOW // 4)
        transport.write(bytes(self._early))
        self._early.clear()
        self._owner.broker_wrote()
        if self._finish_requested:
            transport.write_eof()

    def data_received(self, data: bytes) -> None:
        self._owner.broker_data(data)

    def resume_writing(self) -> None:
        self._owner.broker_wrote()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc is not None else None)

    def _end(self, error: str | None) -> None:
        if not self._over:
            self._over = True
            self._owner.broker_closed(error)
