"""A data stream of EMQX at the QUIC front.

It belongs to the session of the connection's control stream, and has its own packet ids, subscriptions and inflight
window. So it has its own connection to the broker, with the gateway's credentials and protocol version and the client
id `<gateway>/ds<stream>`; its CONNECT and CONNACK stay between the front and the broker.

    the client does           the front does
    (before CONNACK)          waits until the control stream is accepted
    PUBLISH, acknowledgements, SUBSCRIBE, UNSUBSCRIBE
                              passes them on; passes back the broker's packets of types 3..11
    PINGREQ                   nothing
    any other packet, garbage RESET_STREAM(0) and STOP_SENDING(0)
    FIN                       lets the broker answer the previous packets, then FIN; the subscriptions are gone
    RESET_STREAM              nothing: this direction stays open, as at EMQX
    STOP_SENDING(code)        RESET_STREAM(code): the subscriptions are gone

One thing differs from EMQX: a subscription with No Local receives the messages of its gateway's other streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mqtt_build
from broker_leg import BrokerLeg
from front_stream import FrontStream
from mqtt_scan import (
    CONNACK,
    PACKET_NAMES,
    PINGREQ,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBSCRIBE,
    UNSUBACK,
    UNSUBSCRIBE,
    ConnectInfo,
    PacketFilter,
)

if TYPE_CHECKING:
    from front_connection import FrontConnection

ALLOWED = frozenset({PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, UNSUBSCRIBE})
#: Properties of the gateway's CONNECT that apply to each stream: Receive, Topic Alias and Packet Size Maximum.
SHARED_PROPERTIES = (33, 34, 39)


class DataStream(FrontStream):
    """One data stream."""

    def __init__(self, connection: FrontConnection, stream_id: int) -> None:
        super().__init__(connection, stream_id)
        self._from_client = PacketFilter(self._admits)
        self._from_broker = PacketFilter(lambda first: PUBLISH <= first >> 4 <= UNSUBACK)
        self._waiting = bytearray()
        self._fault: str | None = None
        self._leg_is_ending = False

    @property
    def _unwritten(self) -> int:
        return len(self._waiting) + super()._unwritten

    # From the client

    def data_received(self, data: bytes, end: bool) -> None:
        if self.finished:
            return
        self._received += len(data)
        self._waiting += data
        if end:
            self._connection.emit("fin", stream=self.id)
            self._client_fin = True
        self.activate()

    def activate(self) -> None:
        """Handles the bytes that have arrived, if the control stream is accepted."""
        if not self._connection.accepted or self.finished:
            return
        passed, packets = self._from_client.filter(bytes(self._waiting))
        self._waiting.clear()
        for packet in packets:
            self._connection.heard()
            self._report("client", packet)
        self._write(passed)
        if self._from_client.broken:
            self.reset(0, self._fault or "malformed packet")
        elif self._client_fin:
            self._finish()

    def _admits(self, first: int) -> bool:
        kind = first >> 4
        if kind in ALLOWED:
            return True
        if kind != PINGREQ:
            self._fault = f"{PACKET_NAMES.get(kind, 'garbage')} on a data stream"
            self._from_client.broken = True
        return False

    def _write(self, data: bytes) -> None:
        if not data:
            return
        if self._leg is None and self._connection.connect is not None:
            self._leg = BrokerLeg(self, self._connection.settings.broker)
            self._leg.write(_connect_packet(self._connection.connect, self.id))
        if self._leg is not None:
            self._leg.write(data)

    def _finish(self) -> None:
        if self._leg is None:
            self._end_in_order()
        else:
            self._end_leg()

    def _end_in_order(self) -> None:
        self.finished = True
        self._connection.send(self.id, b"", end=True)
        self._closed("fin", None, "FIN of the client")
        self._connection.transmit()

    def stop_sending_received(self, code: int) -> None:
        """aioquic has already answered with RESET_STREAM and the same code."""
        self.reset(code, "STOP_SENDING of the client")

    def reset_received(self, code: int) -> None:
        """EMQX shuts down only this direction."""

    # From the broker

    def broker_data(self, data: bytes) -> None:
        passed, packets = self._from_broker.filter(data)
        self._send(passed)
        for packet in packets:
            if packet.type == CONNACK:
                if packet.head[1:2] != b"\x00":
                    self.reset(0, f"the broker refused the stream's CONNECT with {packet.head[1:2].hex()}")
            else:
                self._report("broker", packet)

    def broker_closed(self, error: str | None) -> None:
        self._connection.emit("broker_closed", error=error, stream=self.id)
        if self.finished or self._connection.is_closed:
            self._connection.forget(self.id)
        elif self._client_fin:
            self._end_in_order()
            self._connection.forget(self.id)
        else:
            # EMQX resets a data stream for the faults for which Mosquitto closes a connection, mainly malformed packets.
            self.reset(0, "the broker closed")

    # Ends

    def reset(self, code: int, why: str) -> None:
        """Ends both directions at once."""
        if self.finished:
            return
        self.finished = True
        self._waiting.clear()
        self._connection.reset(self.id, code)
        self._connection.stop(self.id, code)
        self._end_leg()
        self._closed("reset", code, why)
        self._connection.transmit_if_open()

    def connection_closed(self) -> None:
        if not self.finished:
            self.finished = True
            self._closed("connection", None, "the connection is closed")
        self._end_leg()

    def _end_leg(self) -> None:
        """Shuts down the sending side: packets that were passed on are still handled. There is no will to lose."""
        if self._leg is not None and not self._leg_is_ending:
            self._leg_is_ending = True
            if self._from_client.at_boundary:
                self._leg.write(mqtt_build.disconnect())
            self._leg.finish()
        elif self._leg is None:
            self._connection.forget(self.id)

    def _closed(self, end: str, code: int | None, reason: str) -> None:
        self._connection.emit("stream_closed", stream=self.id, end=end, code=code, reason=reason)


def _connect_packet(gateway: ConnectInfo, stream_id: int) -> bytes:
    """CONNECT for a data stream's own connection to the broker: no will, a clean session, no keepalive."""
    return mqtt_build.connect(
        f"{gateway.client_id}/ds{stream_id // 4}",
        gateway.version,
        keep_alive=0,
        username=gateway.username,
        password=gateway.password,
        properties=b"".join(gateway.properties.get(identifier, b"") for identifier in SHARED_PROPERTIES),
    )
