"""Session tickets of the QUIC front, and what happens to early data.

As at EMQX, there is one ticket per connection, valid for two hours and any number of uses, without protection against
replays. Tickets are kept in the process, so a restarted front does not know the tickets that it issued before.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from aioquic import tls
from aioquic.quic.connection import QuicConnection
from aioquic.tls import SessionTicket

#: In seconds, as at EMQX.
LIFETIME = 7_200


class TicketMode(StrEnum):
    """What new connections are offered, and what is accepted from them."""

    #: No tickets; those issued earlier are not accepted either.
    OFF = "off"
    #: Tickets that resume a session but allow no early data.
    RESUME = "resume"
    #: Tickets that resume a session and allow early data, which is accepted.
    EARLY_DATA = "early-data"
    #: The same tickets; the session is resumed, but early data is rejected.
    REJECT_EARLY_DATA = "reject-early-data"


class Tickets:
    """The tickets of one front."""

    def __init__(self, mode: TicketMode, lifetime: int = LIFETIME) -> None:
        #: May be changed at any time; applies to connections that begin afterwards.
        self.mode = mode
        self._tickets: dict[bytes, SessionTicket] = {}
        _set_lifetime(lifetime)

    def fetch(self, label: bytes) -> SessionTicket | None:
        return None if self.mode == TicketMode.OFF else self._tickets.get(label)

    def keep(self, ticket: SessionTicket) -> None:
        self._tickets[ticket.ticket] = ticket

    def forget(self) -> None:
        """Behaves like a server that has lost its ticket keys."""
        self._tickets.clear()

    def adjust(self, quic: QuicConnection) -> None:
        """Applies the mode to a new connection; aioquic's server would always accept early data."""
        mode = self.mode
        initialize = quic._initialize

        def initialize_with_tickets(peer_cid: bytes) -> None:
            initialize(peer_cid)
            if mode == TicketMode.OFF:
                quic.tls.new_session_ticket_cb = None
            elif mode == TicketMode.RESUME:
                quic.tls._max_early_data = None
            if mode in (TicketMode.RESUME, TicketMode.REJECT_EARLY_DATA):
                _reject_early_data(quic)

        quic._initialize = initialize_with_tickets


def _reject_early_data(quic: QuicConnection) -> None:
    """Without its key the early data cannot be read, and EncryptedExtensions says that it was not accepted."""
    update = quic.tls.update_traffic_key_cb

    def update_without_early_data(direction: tls.Direction, epoch: tls.Epoch, *rest: Any) -> None:
        if epoch == tls.Epoch.ZERO_RTT:
            quic.tls.early_data_accepted = False
        else:
            update(direction, epoch, *rest)

    quic.tls.update_traffic_key_cb = update_without_early_data


def _set_lifetime(lifetime: int) -> None:
    """Applies to the whole process, because aioquic has one number for all connections."""
    push = tls.push_new_session_ticket

    def push_with_lifetime(buffer: Any, ticket: Any) -> None:
        ticket.ticket_lifetime = lifetime
        push(buffer, ticket)

    tls.push_new_session_ticket = push_with_lifetime
