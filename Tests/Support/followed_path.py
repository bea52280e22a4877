"""Decides how often the QUIC front follows a client to another address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class FollowedPath:
    """The addresses of one connection; only a limited number of changes is followed.

    EMQX 6.0.3 uses up one of the client's connection ids per change of the address and never returns one, so the
    fourth change hangs for good, unless the client retires old ids by NEW_CONNECTION_ID with Retire Prior To.
    """

    def __init__(self, limit: int | None, emit: Callable[..., None]) -> None:
        self._limit = limit
        self._emit = emit
        self._changes = -1
        self._retired = 0
        self._followed: set[Any] = set()
        self._ignored: set[Any] = set()

    def follows(self, address: Any, retire_prior_to: int) -> bool:
        """Whether a datagram from this address is read. `retire_prior_to` is the client's highest value so far."""
        if self._limit is None or address in self._followed:
            return True
        if retire_prior_to > self._retired:
            self._retired = retire_prior_to
            self._changes = 0
        if self._changes < self._limit:
            self._changes += 1
            self._followed.add(address)
            return True
        if address not in self._ignored:
            self._ignored.add(address)
            self._emit("not_followed", peer=f"{address[0]}:{address[1]}")
        return False
