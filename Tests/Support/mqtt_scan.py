"""Follows the packet boundaries of an MQTT byte stream without keeping the packets.

Enough of MQTT for what stands between a client and a broker: which packets pass, who connects, and how it ends.
"""

from __future__ import annotations

from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(8, 16)

PACKET_NAMES = {
    value: name for name, value in globals().items() if isinstance(value, int) and name.isupper() and value < 16
}

# A packet's first bytes that are kept: all of a CONNECT without a big will, and every DISCONNECT without a long reason.
KEPT_BYTES = 4096


@dataclass(slots=True)
class Packet:
    """One packet that has passed in full."""

    type: int
    #: Length of the whole packet in bytes, fixed header included.
    length: int
    #: What follows the fixed header, cut at KEPT_BYTES.
    head: bytes

    @property
    def name(self) -> str:
        return PACKET_NAMES.get(self.type, f"reserved {self.type}")


class PacketScanner:
    """Finds the packets in a byte stream that comes in pieces of any size. Holds at most KEPT_BYTES."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._head = bytearray()
        self._length = 0
        self._missing = 0
        #: Set when the bytes can't be MQTT (a length of more than four bytes); nothing is reported from then on.
        self.broken = False

    @property
    def first_type(self) -> int | None:
        """Type of the packet that is being received, as soon as its first byte is there."""
        return self._header[0] >> 4 if self._header else None

    def feed(self, data: bytes) -> list[Packet]:
        """Takes the next bytes; returns the packets they complete."""
        packets: list[Packet] = []
        position = 0
        while position < len(data) and not self.broken:
            if self._missing == 0:
                self._header.append(data[position])
                position += 1
                if len(self._header) == 1 or not self._header_is_complete():
                    continue
            else:
                taken = min(self._missing, len(data) - position)
                room = KEPT_BYTES - len(self._head)
                if room > 0:
                    self._head += data[position : position + min(taken, room)]
                position += taken
                self._missing -= taken
            if self._missing == 0:
                packets.append(Packet(self._header[0] >> 4, self._length, bytes(self._head)))
                self._header.clear()
                self._head.clear()
        return packets

    def _header_is_complete(self) -> bool:
        """Whether the last length byte has come; then `_missing` and `_length` are set."""
        if self._header[-1] & 0x80:
            self.broken = len(self._header) == 5
            return False
        remaining = 0
        for index, byte in enumerate(self._header[1:]):
            remaining |= (byte & 0x7F) << (7 * index)
        self._missing = remaining
        self._length = len(self._header) + remaining
        return True


@dataclass(slots=True)
class ConnectInfo:
    """What a CONNECT says that matters to somebody between client and broker."""

    version: int
    keep_alive: int
    client_id: str


def parse_connect(head: bytes) -> ConnectInfo | None:
    """Reads the start of a CONNECT behind its fixed header; None where it is not one."""
    try:
        name_length = int.from_bytes(head[0:2], "big")
        position = 2 + name_length
        version = head[position] & 0x7F
        keep_alive = int.from_bytes(head[position + 2 : position + 4], "big")
        position += 4
        if version == 5:
            length, size = _variable_length(head, position)
            position += size + length
        id_length = int.from_bytes(head[position : position + 2], "big")
        client_id = head[position + 2 : position + 2 + id_length].decode("utf-8", "replace")
        return ConnectInfo(version, keep_alive, client_id)
    except (IndexError, ValueError):
        return None


def _variable_length(data: bytes, position: int) -> tuple[int, int]:
    """A variable byte integer: its value and how many bytes it takes."""
    value = 0
    for index in range(4):
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, index + 1
    raise ValueError("variable byte integer of more than four bytes")
