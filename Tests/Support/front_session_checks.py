"""Checks of quic_front.py: who is let in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import mqtt_build
from front_harness import Front, expect
from mqtt_quic import Failure, client

REFUSED = {"code": 0x2, "application": False, "reason": ""}


async def _is_refused(front: Front) -> bool:
    """Whether a connection is refused; each other end of its handshake is a failure."""
    try:
        async with client(front.target):
            return False
    except Failure as failure:
        expect(str(REFUSED) in str(failure), str(failure))
        return True


async def handshakes_beyond_the_acceptors_are_refused(front: Front) -> None:
    for _ in range(2):
        refused = await asyncio.gather(*(_is_refused(front) for _ in range(5)))
        expect(refused.count(False) == 2, f"two acceptors, and of five at once {refused.count(False)} came in")
    event = await front.event("refused")
    expect((event["reason"], event["under_way"]) == ("acceptors", 2), f"the front reports {event}")


async def a_number_of_handshakes_is_refused(front: Front) -> None:
    await front.command("refuse_handshakes", times=2)
    refused = [await _is_refused(front) for _ in range(3)]
    expect(refused == [True, True, False], f"refused: {refused}")


BOTH = (mqtt_build.MQTT_3_1_1, mqtt_build.MQTT_5)

CHECKS: list[tuple[Callable[[Front], Awaitable[None]], list[str], tuple[int, ...]]] = [
    (handshakes_beyond_the_acceptors_are_refused, ["--acceptors", "2", "--accept-delay", "1000"], BOTH),
    (a_number_of_handshakes_is_refused, [], BOTH),
]
