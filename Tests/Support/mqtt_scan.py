"""Follows the packet boundaries of an MQTT byte stream without keeping the packets.

It knows as much of MQTT as a program between client and broker needs: which packets pass, who connects, how it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(8, 16)

PACKET_NAMES = {
    value: name for name, value in globals().items() if isinstance(value, int) and name.isupper() and value < 16
}

# How many bytes of a packet are kept: enough for a DISCONNECT without a long reason, and for a CONNECT with any will.
KEPT_BYTES = 4096
KEPT_BYTES_OF_CONNECT = 262_144


@dataclass(slots=True)
class Packet:
    """One packet that has passed completely."""

    type: int
    #: Length of the whole packet in bytes, including the fixed header.
    length: int
    #: The bytes after the fixed header, as far as the scanner keeps them.
    head: bytes
    #: The lower half of the first byte.
    flags: int = 0

    @property
    def name(self) -> str:
        return PACKET_NAMES.get(self.type, f"reserved {self.type}")


class PacketScanner:
    """Finds the packets in a byte stream that arrives in pieces of any size. Keeps the first bytes of one packet only.

    `kept`: how many bytes after the fixed header are kept; at least KEPT_BYTES_OF_CONNECT for a CONNECT.
    """

    def __init__(self, kept: int = KEPT_BYTES) -> None:
        self._kept = kept
        self._header = bytearray()
        self._head = bytearray()
        self._length = 0
        self._missing = 0
        #: Set if the bytes cannot be MQTT (a length of more than four bytes); from then on nothing is reported.
        self.broken = False

    @property
    def at_boundary(self) -> bool:
        """Whether all packets that have begun have passed completely."""
        return not self._header

    def feed(self, data: bytes) -> list[Packet]:
        """Takes the next bytes; returns the packets that they complete."""
        packets: list[Packet] = []
        position = 0
        while position < len(data) and not self.broken:
            if self._missing == 0:
                self._header.append(data[position])
                position += 1
                if len(self._header) == 1:
                    self._began(data[position - 1])
                    continue
                if not self._header_is_complete():
                    continue
                self._passed(self._header)
            else:
                taken = min(self._missing, len(data) - position)
                self._keep(data, position, taken)
                self._passed(data[position : position + taken])
                position += taken
                self._missing -= taken
            if self._missing == 0:
                first = self._header[0]
                packets.append(Packet(first >> 4, self._length, bytes(self._head), first & 0x0F))
                self._header.clear()
                self._head.clear()
        return packets

    def _began(self, first: int) -> None:
        """A packet with this first byte has begun."""

    def _passed(self, piece: bytes | bytearray) -> None:
        """The next bytes of the packet that has begun: first its whole fixed header, then the rest as it arrives."""

    def _keep(self, data: bytes, position: int, count: int) -> None:
        most = max(self._kept, KEPT_BYTES_OF_CONNECT) if self._header[0] >> 4 == CONNECT else self._kept
        room = most - len(self._head)
        if room > 0:
            self._head += data[position : position + min(count, room)]

    def _header_is_complete(self) -> bool:
        """Whether the last byte of the length has arrived; `_missing` and `_length` are then set."""
        if self._header[-1] & 0x80:
            self.broken = len(self._header) == 5
            return False
        self._missing, _ = _variable_length(self._header, 1)
        self._length = len(self._header) + self._missing
        return True


class PacketFilter(PacketScanner):
    """Lets some packets of a byte stream pass, chosen by their first byte, and drops the others."""

    def __init__(self, admits: Callable[[int], bool], kept: int = KEPT_BYTES) -> None:
        super().__init__(kept)
        self._admits = admits
        self._admitted = False
        self._output = bytearray()

    def filter(self, data: bytes) -> tuple[bytes, list[Packet]]:
        """Takes the next bytes; returns those that pass, and the packets that are complete, including dropped ones."""
        packets = self.feed(data)
        output = bytes(self._output)
        self._output.clear()
        return output, packets

    def _began(self, first: int) -> None:
        self._admitted = self._admits(first)

    def _passed(self, piece: bytes | bytearray) -> None:
        if self._admitted:
            self._output += piece


@dataclass(slots=True)
class ConnectInfo:
    """The contents of a CONNECT that matter between client and broker."""

    version: int
    keep_alive: int
    client_id: str
    username: bytes | None = None
    password: bytes | None = None
    #: Properties of MQTT 5 by identifier: identifier and value as they were sent. The last one counts if one repeats.
    properties: dict[int, bytes] = field(default_factory=dict)


    def number(self, identifier: int) -> int:
        """The value of a property that is a number; 0 if it was not sent."""
        return int.from_bytes(self.properties.get(identifier, b"")[1:], "big")


@dataclass(slots=True)
class DisconnectInfo:
    """The contents of a DISCONNECT of MQTT 5."""

    reason: int
    #: In seconds; None if it has none.
    session_expiry: int | None


SESSION_EXPIRY = 17

# Properties of CONNECT, wills and DISCONNECT, with the bytes of their value; None for a string or binary data, 0 for a
# string pair.
_PROPERTY_SIZES: dict[int, int | None] = {
    1: 1, 2: 4, 3: None, 8: None, 9: None, 17: 4, 21: None, 22: None, 23: 1, 24: 4, 25: 1, 28: None, 31: None, 33: 2,
    34: 2, 38: 0, 39: 4,
}  # fmt: skip


def parse_connect(head: bytes) -> ConnectInfo | None:
    """Reads a CONNECT after its fixed header; None if it is not one, or was cut off."""
    try:
        reader = _Reader(head)
        reader.string()
        version = reader.byte() & 0x7F
        flags = reader.byte()
        keep_alive = int.from_bytes(reader.take(2), "big")
        properties = reader.properties() if version == 5 else {}
        info = ConnectInfo(
            version, keep_alive, reader.string().decode("utf-8", "replace"), properties=properties
        )
        if flags & 0x04:
            if version == 5:
                reader.properties()
            reader.string()
            reader.string()
        info.username = reader.string() if flags & 0x80 else None
        info.password = reader.string() if flags & 0x40 else None
        return info
    except (IndexError, KeyError, ValueError):
        return None


def parse_disconnect(head: bytes) -> DisconnectInfo | None:
    """Reads a DISCONNECT of MQTT 5 after its fixed header; None if it is not one, or was cut off."""
    try:
        properties = _Reader(head[1:]).properties() if len(head) > 1 else {}
    except (IndexError, KeyError, ValueError):
        return None
    expiry = properties.get(SESSION_EXPIRY)
    return DisconnectInfo(
        head[0] if head else 0, int.from_bytes(expiry[1:], "big") if expiry is not None else None
    )


class _Reader:
    """A position in a packet. Reading beyond its end raises IndexError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, count: int) -> bytes:
        piece = self._data[self._position : self._position + count]
        if len(piece) < count:
            raise IndexError(count)
        self._position += count
        return piece

    def byte(self) -> int:
        return self.take(1)[0]

    def string(self) -> bytes:
        return self.take(int.from_bytes(self.take(2), "big"))

    def properties(self) -> dict[int, bytes]:
        length, size = _variable_length(self._data, self._position)
        self._position += size
        end = self._position + length
        found: dict[int, bytes] = {}
        while self._position < end:
            start = self._position
            identifier = self.byte()
            width = _PROPERTY_SIZES[identifier]
            if width:
                self.take(width)
            else:
                self.string()
                if width == 0:
                    self.string()
            found[identifier] = self._data[start : self._position]
        return found


def _variable_length(data: bytes | bytearray, position: int) -> tuple[int, int]:
    """A variable byte integer: its value and its length in bytes."""
    value = 0
    for index in range(4):
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, index + 1
    raise ValueError("variable byte integer of more than four bytes")
