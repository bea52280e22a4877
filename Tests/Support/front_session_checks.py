"""Checks of quic_front.py: which clients are let in, which are taken over, and what remains of those that leave."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import mqtt_build
from front_harness import GATEWAY, Front, expect, gateway
from front_path_checks import expect_taken_over
from mqtt_quic import Client, Failure, Stream, client

REFUSED = {"code": 0x2, "application": False, "reason": ""}


async def _is_refused(front: Front) -> bool:
    """Whether a connection is refused; any other end of its handshake is a failure."""
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


async def a_client_that_takes_datagrams_is_crashed(front: Front) -> None:
    async with client(replace(front.target, datagram_size=1_200)) as peer:
        await peer.terminated()
        expect(peer.describe_termination()["application"], f"{peer.describe_termination()}")
    await front.event("crashed")
    async with gateway(front.target):
        pass


#: Session Expiry of CONNECT, reason and Session Expiry of DISCONNECT, and whether the will is published.
WILLS: list[tuple[int, int, int | None, bool]] = [
    (300, 0x04, 0, False),
    (300, 0x80, 0, False),
    (300, 0x00, None, False),
    (300, 0x00, 0, False),
    (300, 0x04, 1, True),
    (300, 0x80, 1, True),
    (300, 0x04, None, True),
    (300, 0x80, None, True),
    (0, 0x04, 0, True),
    (0, 0x04, None, True),
]


async def a_will_comes_unless_disconnect_takes_the_session_back(front: Front) -> None:
    async with gateway(front.target) as (_, observer):
        await observer.subscribe("#")
        for number, (expiry, reason, expiry_at_end, comes) in enumerate(WILLS):
            topic = f"will/{number}"
            await _leave(front, mqtt_build.session_expiry(expiry), reason, expiry_at_end, topic)
            await observer.publish("marker", b"")
            first, _ = await observer.message()
            what = f"CONNECT with {expiry} s, DISCONNECT 0x{reason:02x} with {expiry_at_end} s"
            expect(first == (topic if comes else "marker"), f"{what}: {first} came")
            if comes:
                expect(await observer.message() == ("marker", b""), f"{what}: the will came twice")


async def a_delayed_will_does_not_outlive_its_session(front: Front) -> None:
    async with gateway(front.target) as (_, observer):
        await observer.subscribe("will")
        await _leave(front, mqtt_build.session_expiry(300), 0x04, 1, "will", mqtt_build.will_delay(300))
        expect(await observer.message() == ("will", b"gone"), "the will")


async def _leave(
    front: Front, properties: bytes, reason: int, expiry: int | None, topic: str, of_will: bytes = b""
) -> None:
    """A client connects with a will, and leaves with this DISCONNECT."""
    async with client(front.target) as peer:
        control = peer.open()
        control.send(
            mqtt_build.connect(
                "leaving", mqtt_build.MQTT_5, will_topic=topic, properties=properties, will_properties=of_will
            )
        )
        await control.connected()
        last = mqtt_build.session_expiry(expiry) if expiry is not None else None
        # Sent in two pieces, which are still one packet.
        disconnect = mqtt_build.disconnect(reason, last)
        control.send(disconnect[:3])
        control.send(disconnect[3:], fin=True)
        await control.over()
        expect(control.fin, f"DISCONNECT: {control.describe_end()}")


async def _take_over(front: Front, stack: AsyncExitStack, times: int, closes: bool) -> list[float]:
    """Makes connections of one client id, one after the other; returns the seconds that each takeover's CONNECT takes.

    `closes`: each connection closes when it hears that it was taken over.
    """
    times_taken: list[float] = []
    older: tuple[Client, Stream] | None = None
    for _ in range(times + 1):
        start = time.monotonic()
        peer = await stack.enter_async_context(client(front.target))
        control = peer.open()
        control.send(control.connect_packet(GATEWAY))
        if older is not None:
            await expect_taken_over(front, *older)
            if closes:
                older[0].close(0)
        await control.connected()
        times_taken.append(time.monotonic() - start)
        older = (peer, control)
    return times_taken[1:]


async def the_third_takeover_in_a_row_takes_three_seconds(front: Front) -> None:
    async with AsyncExitStack() as stack:
        seconds = await _take_over(front, stack, times=4, closes=False)
        for number, slow in enumerate((False, False, True, True), start=1):
            slow = slow and front.target.version == mqtt_build.MQTT_5
            # The server itself closes the first of the connections that it waits for after three seconds.
            expect((seconds[number - 1] > 2) == slow, f"takeover {number} took {seconds[number - 1]:.3f} s")
        if front.target.version == mqtt_build.MQTT_5:
            expect((await front.event("takeover_delayed"))["open"] == 2, "connections that were taken over before")


async def takeovers_are_fast_where_the_older_are_closed(front: Front) -> None:
    async with AsyncExitStack() as stack:
        seconds = await _take_over(front, stack, times=5, closes=True)
        expect(max(seconds) < 2, f"took {seconds}")


BOTH = (mqtt_build.MQTT_3_1_1, mqtt_build.MQTT_5)
ONLY_5 = (mqtt_build.MQTT_5,)

CHECKS: list[tuple[Callable[[Front], Awaitable[None]], list[str], tuple[int, ...]]] = [
    (handshakes_beyond_the_acceptors_are_refused, ["--acceptors", "2", "--accept-delay", "1000"], BOTH),
    (a_number_of_handshakes_is_refused, [], BOTH),
    (a_client_that_takes_datagrams_is_crashed, [], BOTH),
    (a_will_comes_unless_disconnect_takes_the_session_back, [], ONLY_5),
    (a_delayed_will_does_not_outlive_its_session, [], ONLY_5),
    (the_third_takeover_in_a_row_takes_three_seconds, [], BOTH),
    (takeovers_are_fast_where_the_older_are_closed, [], BOTH),
]
