"""Limits how many handshakes the QUIC front has under way at once.

EMQX accepts one connection per waiting acceptor; by default it has max(16, 8 x its cores) of them. msquic closes any
further connection during its handshake, with CONNECTION_REFUSED, and does so too while its workers are late. An
attempt a few milliseconds later succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aioquic.quic.configuration import SMALLEST_MAX_DATAGRAM_SIZE
from aioquic.quic.connection import TRANSPORT_CLOSE_FRAME_CAPACITY
from aioquic.quic.crypto import CryptoPair
from aioquic.quic.packet import QuicErrorCode, QuicFrameType, QuicHeader, QuicPacketType
from aioquic.quic.packet_builder import QuicPacketBuilder

if TYPE_CHECKING:
    from front_connection import FrontConnection


class Acceptors:
    """The acceptors of one front."""

    def __init__(self, limit: int | None, delay: float, emit: Callable[..., None]) -> None:
        """`limit`: handshakes under way, None for any number; `delay`: seconds by which each answer is delayed."""
        self._limit = limit
        self._delay = delay
        self._emit = emit
        self._under_way: set[FrontConnection] = set()
        self._refused: set[bytes] = set()
        self._refusals: int | None = 0

    def refuse(self, times: int | None) -> None:
        """Refuses the next handshakes, as many as given or all if None, as msquic does while its workers are late."""
        self._refusals = times

    def refusal(self, header: QuicHeader, address: Any) -> bytes | None:
        """The datagram that refuses the connection of this first Initial; None if the connection is accepted."""
        if header.destination_cid not in self._refused:
            reason = self._next_reason()
            if reason is None:
                return None
            # A retransmission of a refused handshake is refused again, because its client has given the handshake up.
            self._refused.add(header.destination_cid)
            peer = f"{address[0]}:{address[1]}"
            self._emit("refused", peer=peer, reason=reason, under_way=len(self._under_way))
        return _encode_close(header)

    def _next_reason(self) -> str | None:
        if self._limit is not None and len(self._under_way) >= self._limit:
            return "acceptors"
        if self._refusals == 0:
            return None
        if self._refusals is not None:
            self._refusals -= 1
        return "workers"

    def take(self, connection: FrontConnection) -> None:
        """A handshake begins."""
        self._under_way.add(connection)
        if self._delay:
            connection.hold(self._delay)

    def release(self, connection: FrontConnection) -> None:
        """A handshake has succeeded or failed."""
        self._under_way.discard(connection)


def _encode_close(header: QuicHeader) -> bytes:
    """An Initial packet with CONNECTION_CLOSE, with the keys that both sides derive from the client's first Initial."""
    assert header.version is not None
    crypto = CryptoPair()
    crypto.setup_initial(cid=header.destination_cid, is_client=False, version=header.version)
    builder = QuicPacketBuilder(
        host_cid=header.destination_cid,
        is_client=False,
        max_datagram_size=SMALLEST_MAX_DATAGRAM_SIZE,
        peer_cid=header.source_cid,
        version=header.version,
    )
    builder.start_packet(QuicPacketType.INITIAL, crypto)
    buffer = builder.start_frame(QuicFrameType.TRANSPORT_CLOSE, capacity=TRANSPORT_CLOSE_FRAME_CAPACITY)
    buffer.push_uint_var(QuicErrorCode.CONNECTION_REFUSED)
    buffer.push_uint_var(QuicFrameType.PADDING)
    buffer.push_uint_var(0)
    datagrams, _ = builder.flush()
    return datagrams[0]
