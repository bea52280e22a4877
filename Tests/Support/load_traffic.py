"""Steady traffic of one client of load_client.py: numbered messages to a topic that it has itself subscribed to."""

from __future__ import annotations

import time


class Traffic:
    """Records what was sent, and what came back in which order."""

    def __init__(self) -> None:
        self.sent = 0
        self.duplicates = 0
        #: Messages that arrived for the first time after a message that was sent later.
        self.disordered = 0
        #: The longest time in seconds between the return of one message and that of the next.
        self.longest_gap = 0.0
        self._received: set[int] = set()
        self._highest = 0
        self._last = time.monotonic()

    def next(self) -> bytes:
        self.sent += 1
        return str(self.sent).encode()

    def came(self, payload: bytes) -> None:
        number = int(payload)
        now = time.monotonic()
        self.longest_gap = max(self.longest_gap, now - self._last)
        self._last = now
        if number in self._received:
            self.duplicates += 1
            return
        self.disordered += number < self._highest
        self._highest = max(self._highest, number)
        self._received.add(number)

    @property
    def missing(self) -> int:
        """The number of messages that have not come back."""
        return self.sent - len(self._received)
