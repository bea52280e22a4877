"""Decides how long a CONNECT takes at the QUIC front if its client id is already connected.

    MQTT 3.1.1    no time at all
    MQTT 5        until the client of the older connection has acknowledged its end: a round trip, or 3 s
    MQTT 5, the third takeover in a row, and each after it
                  3 s, as long as connections that were taken over earlier are open; no delay if their client has
                  closed them when it heard of the takeover

Takeovers are in a row as long as a connection that was taken over is still open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from front_connection import FrontConnection

LONGEST = 3.0
#: Number of the first takeover in a row that waits for connections that were taken over earlier.
FIRST_SLOW = 3
POLL = 0.005


class Takeover:
    """One CONNECT and the older connections of its client id that it replaces."""

    def __init__(self, connection: FrontConnection) -> None:
        older = [other for other in connection.of_this_client() if other.number < connection.number]
        self._connection = connection
        self._stale = [other for other in older if other.is_superseded and not other.is_closed]
        self._undelivered = [other for other in older if not other.has_delivered_end]
        self._living = [other for other in self._undelivered if not other.has_ended]
        if self._living:
            before = max(other.takeovers_in_a_row for other in self._living)
            connection.takeovers_in_a_row = before + 1 if self._stale else 1

    @property
    def is_none(self) -> bool:
        """Whether there is no connection to wait for."""
        return not self._undelivered

    def begin(self, then: Callable[[], None]) -> None:
        """Calls `then` when the CONNECT may go to the broker."""
        deadline = self._connection.now + LONGEST
        if not self._connection.speaks_5:
            self._supersede()
            then()
        elif self._living and self._stale and self._connection.takeovers_in_a_row >= FIRST_SLOW:
            self._connection.emit("takeover_delayed", open=len(self._stale))
            self._wait(lambda: all(other.is_closed for other in self._stale), deadline, self._end_older, deadline, then)
        else:
            self._end_older(deadline, then)

    def _end_older(self, deadline: float, then: Callable[[], None]) -> None:
        self._supersede()
        self._wait(lambda: all(other.has_delivered_end for other in self._undelivered), deadline, then)

    def _supersede(self) -> None:
        for other in self._living:
            other.supersede()

    def _wait(
        self, over: Callable[[], bool], deadline: float, then: Callable[..., None], *arguments: object
    ) -> None:
        if self._connection.has_ended:
            return
        if over() or self._connection.now >= deadline:
            then(*arguments)
        else:
            self._connection.later(POLL, self._wait, over, deadline, then, *arguments)
