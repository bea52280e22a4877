"""The client's streams at the QUIC front, each with the TCP connection to the broker that answers it.

The control stream is passed through unchanged. It ends as at EMQX (the broker publishes the will unless it has received
a DISCONNECT):

    the client does           the front does
    DISCONNECT with FIN       FIN, APPLICATION_CLOSE 0 after 0.16 s
    DISCONNECT, no FIN        FIN, APPLICATION_CLOSE 0 after 3.2 s
    FIN alone                 ends TCP, FIN, APPLICATION_CLOSE 0 after 0.1 s
    RESET_STREAM(code)        aborts TCP, RESET_STREAM(code), APPLICATION_CLOSE 0 after 3.2 s
    CONNECTION_CLOSE, silence aborts TCP
    (the broker ends)         passes its last bytes on, FIN, APPLICATION_CLOSE 0
    (its client id connects   MQTT 5: DISCONNECT 0x8E and STOP_SENDING 0x8E, MQTT 3.1.1: FIN; APPLICATION_CLOSE 1 after
    elsewhere)                3 s. How long the new CONNECT waits for this is in front_takeover.py

front_will.py says what DISCONNECT means for the will.

Later streams are data streams of the same session (data_stream.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mqtt_build
from broker_leg import STREAM_WINDOW, BrokerLeg
from front_takeover import Takeover
from front_will import disconnect_for_broker
from mqtt_scan import (
    CONNACK,
    CONNECT,
    DISCONNECT,
    KEPT_BYTES_OF_CONNECT,
    PINGRESP,
    Packet,
    PacketFilter,
    parse_connect,
)

if TYPE_CHECKING:
    from front_connection import FrontConnection

CONTROL_STREAM = 0
SESSION_TAKEN_OVER = 0x8E

#: Unacknowledged bytes to the client: above the first number the broker is not read, below the second it is read again.
SEND_HIGH_WATER, SEND_LOW_WATER = 262_144, 65_536

CLOSE_AFTER_FIN = 0.16
CLOSE_AFTER_BARE_FIN = 0.1
CLOSE_WITHOUT_FIN = 3.2
CLOSE_AFTER_TAKEOVER = 3.0

#: What the broker gets instead of bytes that are not MQTT: a length of more than four bytes.
MALFORMED = b"\xc0\xff\xff\xff\xff\xff"


class FrontStream:
    """What control and data streams share: credit for what the broker has taken, and back-pressure on the broker."""

    def __init__(self, connection: FrontConnection, stream_id: int) -> None:
        self.id = stream_id
        #: FIN or RESET_STREAM was sent, so nothing may follow.
        self.finished = False
        self._connection = connection
        self._leg: BrokerLeg | None = None
        self._received = 0
        self._client_fin = False

    @property
    def credit_limit(self) -> int:
        """Bytes that the client may send on the stream in all."""
        return self._received - self._unwritten + STREAM_WINDOW

    @property
    def _unwritten(self) -> int:
        return self._leg.unwritten if self._leg is not None else 0

    def resume_broker(self) -> None:
        """The client may have acknowledged bytes."""
        if self._leg is not None and self._connection.unacknowledged(self.id) < SEND_LOW_WATER:
            self._leg.resume_reading()

    def broker_wrote(self) -> None:
        self._connection.transmit_if_open()

    def _send(self, data: bytes) -> None:
        if not data or self.finished or self._connection.is_closed:
            return
        self._connection.send(self.id, data)
        if self._leg is not None and self._connection.unacknowledged(self.id) > SEND_HIGH_WATER:
            self._leg.pause_reading()
        self._connection.transmit()

    def _report(self, sender: str, packet: Packet, **details: Any) -> None:
        if self._connection.settings.reports_packets:
            self._connection.emit(
                "packet", sender=sender, type=packet.name, length=packet.length, stream=self.id, **details
            )


class ControlStream(FrontStream):
    """The stream with which the connection begins and ends."""

    def __init__(self, connection: FrontConnection, refusal: int) -> None:
        """`refusal`: the CONNACK code with which this CONNECT is refused; 0 lets the broker decide."""
        super().__init__(connection, CONTROL_STREAM)
        self._from_client = PacketFilter(lambda first: first >> 4 != DISCONNECT, kept=KEPT_BYTES_OF_CONNECT)
        self._from_broker = PacketFilter(self._admits_from_broker)
        self._refusal = refusal
        self._client_disconnected = False
        #: Whether it ended because its client id connected elsewhere.
        self.superseded = False
        self._taken_over = False
        self._wrote_at = 0.0
        self._own_pings = 0
        if not refusal:
            self._leg = BrokerLeg(self, connection.settings.broker)

    # From the client

    def data_received(self, data: bytes, end: bool) -> None:
        self._received += len(data)
        passed, packets = self._from_client.filter(data)
        for packet in packets:
            self._packet_of_client(packet)
        if self._leg is not None:
            self._leg.write(passed + b"".join(map(self._instead_of, packets)))
            if self._from_client.broken:
                self._leg.write(MALFORMED)
            self._wrote_at = self._connection.now
        if end:
            self._connection.emit("fin", stream=self.id)
            self._client_fin = True
            if self._leg is not None:
                self._leg.finish()

    def _packet_of_client(self, packet: Packet) -> None:
        details: dict[str, Any] = {}
        if packet.type == CONNECT and self._connection.connect is None:
            info = parse_connect(packet.head)
            if info is not None:
                self._connection.connected_as(info)
                self._take_over_older()
                details = {"client_id": info.client_id, "keep_alive": info.keep_alive, "version": info.version}
        elif packet.type == DISCONNECT:
            details = {"reason_code": packet.head[0] if packet.head else 0}
            self._client_disconnected = True
        self._report("client", packet, **details)
        if packet.type == CONNECT and self._refusal:
            self._refuse_connect()

    def _instead_of(self, packet: Packet) -> bytes:
        """What the broker gets instead of a packet that is not passed on unchanged."""
        return disconnect_for_broker(packet, self._connection.connect) if packet.type == DISCONNECT else b""

    def _take_over_older(self) -> None:
        """EMQX ends older sessions of the client id before it accepts a new one."""
        takeover = Takeover(self._connection)
        if self._leg is not None and not takeover.is_none:
            self._leg.hold()
            takeover.begin(self._leg.release)

    def supersede(self) -> None:
        """There is a newer connection of the client id. The broker ends the old leg when it hears of the new one."""
        if not self.finished and not self._connection.is_closed:
            self._end(taken_over=True)
            if self._leg is not None and self._leg.is_held:
                # The broker has not heard of this connection, and must not hear of it after the newer one.
                self._leg.abort()

    def _refuse_connect(self) -> None:
        info = self._connection.connect
        properties = b"\x00" if info is not None and info.version == 5 else b""
        body = bytes([0, self._refusal]) + properties
        self._connection.emit("connect_refused", code=self._refusal)
        self._send(mqtt_build.packet(CONNACK << 4, body))
        self._end(taken_over=False)

    def reset_received(self, code: int) -> None:
        if not self.finished:
            self._abandon(code)

    def stop_sending_received(self, code: int) -> None:
        """aioquic has answered with RESET_STREAM of the same code already."""
        self._abandon(code)

    def _abandon(self, code: int) -> None:
        self._connection.reset(self.id, code)
        self.finished = True
        self.end_broker()
        self._connection.close_later(CLOSE_WITHOUT_FIN, 0)

    def reset(self, code: int, why: str) -> None:
        """Called by a command. The connection ends with its control stream."""
        self._connection.stop(self.id, code)
        self._abandon(code)
        self._connection.transmit_if_open()

    def keep_alive(self) -> None:
        """Sends a PINGREQ now and then, because the broker cannot see that the client is active on a data stream."""
        info = self._connection.connect
        if self._leg is None or self.finished or info is None or not info.keep_alive:
            return
        idle = self._connection.now - self._wrote_at
        if idle > info.keep_alive / 2 and self._from_client.at_boundary:
            self._wrote_at = self._connection.now
            self._own_pings += 1
            self._leg.write(mqtt_build.PINGREQ_PACKET)

    # From the broker

    def _admits_from_broker(self, first: int) -> bool:
        if first >> 4 == PINGRESP and self._own_pings:
            self._own_pings -= 1
            return False
        return True

    def broker_data(self, data: bytes) -> None:
        passed, packets = self._from_broker.filter(data)
        self._send(passed)
        for packet in packets:
            self._packet_of_broker(packet)

    def _packet_of_broker(self, packet: Packet) -> None:
        details: dict[str, Any] = {}
        if packet.type == CONNACK and packet.head[1:2] == b"\x00":
            self._connection.accept()
        elif packet.type == DISCONNECT:
            details = {"reason_code": packet.head[0] if packet.head else 0}
            self._taken_over = self._taken_over or details["reason_code"] == SESSION_TAKEN_OVER
        self._report("broker", packet, **details)

    def broker_closed(self, error: str | None) -> None:
        """The broker's end becomes a FIN, and the connection is closed a little later."""
        self._connection.emit("broker_closed", error=error, stream=self.id)
        if not self.finished and not self._connection.is_closed:
            superseded = self._connection.has_successor() and not self._client_disconnected
            self._end(taken_over=self._taken_over or superseded)

    def take_over(self) -> None:
        """Ends as if another connection had used the same client id."""
        if not self.finished and not self._connection.is_closed:
            self._end(taken_over=True)
            self.end_broker()

    def _end(self, taken_over: bool) -> None:
        self.finished = True
        self.superseded = taken_over
        speaks_5 = self._connection.speaks_5
        # Mosquitto 2.0.11 closes the older connection without a packet; EMQX sends this one to MQTT 5 clients.
        last = mqtt_build.disconnect(SESSION_TAKEN_OVER) if taken_over and speaks_5 and not self._taken_over else b""
        self._connection.send(self.id, last, end=not (taken_over and speaks_5))
        if taken_over:
            if speaks_5 and not self._client_fin:
                self._connection.stop(self.id, SESSION_TAKEN_OVER)
            self._connection.close_later(CLOSE_AFTER_TAKEOVER, 1)
        elif self._client_disconnected and not self._client_fin:
            self._connection.close_later(CLOSE_WITHOUT_FIN, 0)
        else:
            self._connection.close_later(CLOSE_AFTER_FIN if self._client_disconnected else CLOSE_AFTER_BARE_FIN, 0)
        self._connection.transmit()

    def end_broker(self) -> None:
        if self._leg is not None:
            # A DISCONNECT that was written must still arrive, because otherwise the will would be published.
            if self._client_disconnected and not self._leg.is_held:
                self._leg.finish()
            else:
                self._leg.abort()
