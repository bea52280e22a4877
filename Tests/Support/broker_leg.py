"""The TCP connection to the broker that stands behind one stream of the QUIC front."""

from __future__ import annotations

import asyncio
from typing import Protocol

#: Flow-control window of a stream, in bytes: as much may wait for the broker.
STREAM_WINDOW = 65_536


class LegOwner(Protocol):
    """Receives the events of a leg."""

    def broker_data(self, data: bytes) -> None: ...

    def broker_wrote(self) -> None:
        """The broker took bytes, so there may be credit to grant."""

    def broker_closed(self, error: str | None) -> None:
        """The broker's last byte has arrived."""


class BrokerLeg(asyncio.Protocol):
    """The TCP connection to the broker. Keeps bytes that are written before it is established, or while it is held; the
    stream's window bounds them.
    """

    def __init__(self, owner: LegOwner, address: tuple[str, int]) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._early = bytearray()
        self._finish_requested = False
        self._reading = True
        self._held = False
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
        """Bytes that the broker has not taken yet."""
        waiting = self._transport.get_write_buffer_size() if self._transport is not None else 0
        return len(self._early) + waiting

    @property
    def is_held(self) -> bool:
        return self._held

    def write(self, data: bytes) -> None:
        if self._over:
            return
        if self._transport is None or self._held:
            self._early += data
        else:
            self._transport.write(data)

    def hold(self) -> None:
        """Keeps everything that is written from now on, until `release`."""
        self._held = True

    def release(self) -> None:
        self._held = False
        self._write_early()

    def _write_early(self) -> None:
        if self._transport is None or self._transport.is_closing() or self._held:
            return
        self._transport.write(bytes(self._early))
        self._early.clear()
        self._owner.broker_wrote()
        if self._finish_requested:
            self._transport.write_eof()

    def finish(self) -> None:
        """Shuts down the sending side after everything that has been written: the broker answers with its own end.

        Closing would send a reset if bytes of the broker are still unread, and that could overtake the DISCONNECT.
        """
        self._finish_requested = True
        self.resume_reading()
        if self._transport is not None and not self._transport.is_closing() and not self._held:
            self._transport.write_eof()

    def abort(self) -> None:
        """Ends the connection at once."""
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
        # resume_writing, which grants new credit to the client, is called each time the buffer falls below `low`.
        transport.set_write_buffer_limits(high=STREAM_WINDOW // 2, low=STREAM_WINDOW // 4)
        self._write_early()

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
