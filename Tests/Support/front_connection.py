"""One client of the QUIC front: a QUIC connection, and what EMQX does with its streams."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aioquic import tls
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic import events
from aioquic.quic.connection import END_STATES, QuicConnection, stream_is_unidirectional
from aioquic.quic.packet import QuicErrorCode, QuicFrameType

from data_stream import DataStream
from followed_path import FollowedPath
from front_acceptors import Acceptors
from front_engine import adjust_engine
from front_stream import CONTROL_STREAM, ControlStream
from mqtt_scan import ConnectInfo

HANDSHAKE_TIMEOUT = 10.0
NO_TIMEOUT = 86_400.0

Emit = Callable[..., None]


@dataclass(frozen=True)
class FrontSettings:
    broker: tuple[str, int]
    #: PEM file; if None, clients are not asked for a certificate.
    client_ca: str | None = None
    #: In seconds; None means 1.5 x the MQTT keepalive.
    idle_timeout: float | None = None
    reports_packets: bool = True
    #: Bidirectional streams at once, including the control stream.
    streams: int = 10
    #: If False, every stream after the control stream is refused.
    data_streams: bool = True
    #: How many changes of a connection's address are followed; None means all.
    follow_rebinds: int | None = None


@dataclass
class FrontSwitches:
    """The settings that commands change while the front runs."""

    #: CONNACK code with which new CONNECTs are refused; 0 refuses none.
    refuse_connect: int = 0
    #: How many CONNECTs are refused; None means all.
    refusals: int | None = None

    def refuse_connects(self, code: int, times: int | None) -> None:
        self.refuse_connect = code
        self.refusals = times

    def next_refusal(self) -> int:
        """The code for the next CONNECT."""
        if self.refusals is None:
            return self.refuse_connect
        if self.refusals == 0:
            return 0
        self.refusals -= 1
        return self.refuse_connect


class FrontConnection(QuicConnectionProtocol):
    """Owns both sides of one client."""

    _numbers = itertools.count(1)

    def __init__(
        self,
        quic: QuicConnection,
        settings: FrontSettings,
        switches: FrontSwitches,
        acceptors: Acceptors,
        emit: Emit,
        connections: set[FrontConnection],
    ) -> None:
        super().__init__(quic)
        self.number = next(self._numbers)
        self.settings = settings
        #: The CONNECT on the control stream.
        self.connect: ConnectInfo | None = None
        #: Whether the broker has accepted it.
        self.accepted = False
        #: Takeovers of the client id, including this one, while connections that were taken over were still open.
        self.takeovers_in_a_row = 0
        self._switches = switches
        self._acceptors = acceptors
        #: Datagrams that arrived while the handshake is delayed.
        self._held: list[tuple[bytes | str, Any]] | None = None
        self._emit_event = emit
        self._connections = connections
        self._idle = HANDSHAKE_TIMEOUT
        self._announced = False
        self._closed_by: str | None = None
        self._close_timer: asyncio.TimerHandle | None = None
        self._control: ControlStream | None = None
        self._data_streams: dict[int, DataStream] = {}
        #: Streams that were refused or have ended; anything that still arrives on them is ignored.
        self._over: set[int] = set()
        self._stopped: set[int] = set()
        self._path = FollowedPath(settings.follow_rebinds, self.emit)
        connections.add(self)
        adjust_engine(
            quic,
            settings.streams,
            settings.client_ca is not None,
            lambda: settings.idle_timeout or self._idle,
            self._credit_limit,
        )
        acceptors.take(self)

    def emit(self, event: str, **fields: Any) -> None:
        self._emit_event(event, connection=self.number, **fields)

    def _credit_limit(self, stream_id: int) -> int | None:
        stream = self._stream(stream_id)
        return stream.credit_limit if stream is not None else None

    def _stream(self, stream_id: int) -> ControlStream | DataStream | None:
        return self._control if stream_id == CONTROL_STREAM else self._data_streams.get(stream_id)

    # Called by the streams.

    @property
    def now(self) -> float:
        return self._loop.time()

    @property
    def is_closed(self) -> bool:
        return self._closed_by is not None

    def unacknowledged(self, stream_id: int) -> int:
        """Bytes sent on the stream that the client has not acknowledged."""
        stream = self._quic._streams.get(stream_id)
        return len(stream.sender._buffer) if stream is not None else 0

    def send(self, stream_id: int, data: bytes, end: bool = False) -> None:
        self._quic.send_stream_data(stream_id, data, end_stream=end)

    def reset(self, stream_id: int, code: int) -> None:
        self._quic.reset_stream(stream_id, code)

    def stop(self, stream_id: int, code: int) -> None:
        """Sends STOP_SENDING, unless the client itself has ended its direction of the stream."""
        stream = self._quic._streams.get(stream_id)
        if stream is not None and not stream.receiver.is_finished:
            self._quic.stop_stream(stream_id, code)

    def transmit_if_open(self) -> None:
        if not self.is_closed:
            self.transmit()

    def connected_as(self, info: ConnectInfo) -> None:
        self.connect = info
        self._idle = info.keep_alive * 1.5 or NO_TIMEOUT

    def accept(self) -> None:
        """The broker has sent CONNACK, so data streams begin."""
        self.accepted = True
        for stream in list(self._data_streams.values()):
            stream.activate()

    def forget(self, stream_id: int) -> None:
        """A data stream has ended, and so has its connection to the broker."""
        if self._data_streams.pop(stream_id, None) is not None:
            self._over.add(stream_id)

    def heard(self) -> None:
        """A packet has arrived on a data stream, which counts for the session's keepalive."""
        if self._control is not None:
            self._control.keep_alive()

    # Datagrams and events.

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        if not self._announced:
            self._announced = True
            self.emit("connection", peer=f"{addr[0]}:{addr[1]}")
        if self._held is not None:
            self._held.append((data, addr))
            return
        if not self._path.follows(addr, self._quic._peer_retire_prior_to):
            return
        super().datagram_received(data, addr)
        self._notice_close()
        self._resume_brokers()

    def hold(self, delay: float) -> None:
        """Keeps the datagrams of the next seconds, so that the handshake takes a while."""
        self._held = []
        self.later(delay, self._go_on)

    def _go_on(self) -> None:
        held, self._held = self._held or [], None
        for data, addr in held:
            self.datagram_received(data, addr)

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
        self._acceptors.release(self)
        problem = self._client_certificate_problem()
        if problem is not None:
            alert, reason = problem
            self.emit("client_refused", reason=reason)
            self._closed_by = "server"
            self._quic.close(QuicErrorCode.CRYPTO_ERROR + alert, QuicFrameType.CRYPTO, reason)
            return
        if self.connect is None:
            self._idle = NO_TIMEOUT
        self.emit(
            "handshake",
            alpn=event.alpn_protocol,
            resumed=event.session_resumed,
            early_data=event.early_data_accepted,
            datagrams=bool(self._quic._remote_max_datagram_frame_size),
        )
        if self._quic._remote_max_datagram_frame_size:
            # EMQX 6.0.3 has no callback for msquic's datagram events, so the connection's process crashes.
            self.emit("crashed", reason="the client takes datagrams")
            self.close_from_server(0)

    def _client_certificate_problem(self) -> tuple[int, str] | None:
        """The TLS alert and reason for refusing this client. aioquic asks for a certificate but trusts any."""
        if self.settings.client_ca is None:
            return None
        certificate = self._quic.tls._peer_certificate
        if certificate is None:
            return 116, "a client certificate is required"
        try:
            tls.verify_certificate(
                certificate, self._quic.tls._peer_certificate_chain, cafile=self.settings.client_ca
            )
        except tls.Alert as error:
            return int(error.description), str(error)
        return None

    # From the client.

    def _stream_data(self, event: events.StreamDataReceived) -> None:
        stream_id = event.stream_id
        stream = self._stream(stream_id) or self._open(stream_id)
        if stream is not None:
            stream.data_received(event.data, event.end_stream)

    def _open(self, stream_id: int) -> ControlStream | DataStream | None:
        """The front's side of a stream, made when something arrives for the first time; None if the stream is over."""
        if stream_id in self._over:
            return None
        self.emit("stream_opened", stream=stream_id, control=stream_id == CONTROL_STREAM)
        if stream_id == CONTROL_STREAM:
            self._control = ControlStream(self, self._switches.next_refusal())
            return self._control
        if not self.settings.data_streams or stream_is_unidirectional(stream_id):
            self._over.add(stream_id)
            self._refuse(stream_id)
            return None
        self._data_streams[stream_id] = DataStream(self, stream_id)
        return self._data_streams[stream_id]

    def _refuse(self, stream_id: int) -> None:
        if not stream_is_unidirectional(stream_id):
            self.reset(stream_id, 0)
        self.stop(stream_id, 0)

    def _stream_reset(self, event: events.StreamReset) -> None:
        self.emit("stream_reset", stream=event.stream_id, code=event.error_code)
        if event.stream_id in self._stopped:
            return
        stream = self._stream(event.stream_id) or self._open(event.stream_id)
        if stream is not None:
            stream.reset_received(event.error_code)

    def _stop_sending(self, event: events.StopSendingReceived) -> None:
        self.emit("stop_sending", stream=event.stream_id, code=event.error_code)
        stream = self._stream(event.stream_id) or self._open(event.stream_id)
        if stream is not None:
            stream.stop_sending_received(event.error_code)

    def of_this_client(self) -> list[FrontConnection]:
        """The other connections of the same client id."""
        mine = self.connect
        if mine is None or not mine.client_id:
            return []
        return [
            other
            for other in self._connections
            if other is not self and other.connect is not None and other.connect.client_id == mine.client_id
        ]

    def has_successor(self) -> bool:
        """Whether there is a newer connection of the same client id: MQTT 3.1.1 has no packet that says so."""
        return any(other.number > self.number for other in self.of_this_client())

    @property
    def speaks_5(self) -> bool:
        return self.connect is not None and self.connect.version == 5

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will be sent on the control stream."""
        return self.is_closed or (self._control is not None and self._control.finished)

    @property
    def is_superseded(self) -> bool:
        return self._control is not None and self._control.superseded

    def supersede(self) -> None:
        if self._control is not None:
            self._control.supersede()

    @property
    def has_delivered_end(self) -> bool:
        """Whether the connection is closed, or its client has acknowledged the whole control stream."""
        return self.is_closed or (
            self._control is not None and self._control.finished and self._has_delivered_control_stream
        )

    @property
    def _has_delivered_control_stream(self) -> bool:
        """Whether the client has acknowledged everything that was sent on the stream, including its end."""
        stream = self._quic._streams.get(CONTROL_STREAM)
        if stream is None or stream.sender.is_finished:
            return True
        return stream.sender._buffer_fin is None and self.unacknowledged(CONTROL_STREAM) == 0

    def later(self, delay: float, callback: Callable[..., None], *arguments: Any) -> None:
        self._loop.call_later(delay, callback, *arguments)

    def _resume_brokers(self) -> None:
        if self._control is not None:
            self._control.resume_broker()
        for stream in self._data_streams.values():
            stream.resume_broker()

    # Commands.

    def take_over(self) -> None:
        """Ends the session as if its client id had connected again elsewhere."""
        if self._control is not None:
            self._control.take_over()

    def reset_stream(self, stream_id: int, code: int) -> bool:
        """Sends RESET_STREAM and STOP_SENDING; returns False if there is no such stream."""
        stream = self._stream(stream_id)
        if stream is None or stream.finished:
            return False
        stream.reset(code, "command")
        return True

    def stop_sending(self, stream_id: int, code: int) -> bool:
        """Sends only STOP_SENDING, so that the other direction stays open; returns False if there is no such stream."""
        if self._stream(stream_id) is None:
            return False
        self._stopped.add(stream_id)
        self.stop(stream_id, code)
        self.transmit_if_open()
        return True

    # Ends.

    def close_from_server(self, code: int, reason: str = "") -> None:
        """Sends APPLICATION_CLOSE at once."""
        if self._closed_by is None:
            self._closed_by = "server"
            self._end_streams()
            # Without a frame type, aioquic sends the CONNECTION_CLOSE of the application kind.
            self.close(code, reason)

    def close_later(self, delay: float, code: int) -> None:
        """Closes after `delay` seconds, but not before the client has acknowledged all bytes and the FIN."""
        if self._close_timer is None:
            self._close_timer = self._loop.call_later(delay, self._close_when_delivered, code, 50)

    def _close_when_delivered(self, code: int, patience: int) -> None:
        if self._has_delivered_control_stream or patience == 0:
            self.close_from_server(code)
        else:
            self._close_timer = self._loop.call_later(0.1, self._close_when_delivered, code, patience - 1)

    def _notice_close(self) -> None:
        """The client's CONNECTION_CLOSE ends the session at once; aioquic reports it only after its draining period."""
        if self._closed_by is None and self._quic._close_event is not None and self._quic._state in END_STATES:
            self._closed_by = "client"
            self._end_streams()

    def _end_streams(self) -> None:
        if self._control is not None:
            self._control.end_broker()
        for stream in list(self._data_streams.values()):
            stream.connection_closed()

    def _terminated(self, event: events.ConnectionTerminated) -> None:
        if self._closed_by is None:
            self._closed_by = "idle" if event.reason_phrase == "Idle timeout" else "client"
        self._end_streams()
        self._connections.discard(self)
        self._acceptors.release(self)
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
