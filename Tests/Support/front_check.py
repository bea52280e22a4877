#!/usr/bin/env python3
"""Checks that quic_front.py does what EMQX does, mainly with data streams. Tests of the gateway rely on it.

    front_check.py --broker 127.0.0.1:1883 --certificates FOLDER [--only WORD]     (FOLDER is made by certificates.py)

Starts its own fronts in front of the broker. Prints one line per check; ends with 1 at the first one that fails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace

import front_path_checks
import front_session_checks
import mqtt_build
from front_harness import GATEWAY, Front, expect, expect_reset, front, gateway
from mqtt_quic import Failure, client
from mqtt_scan import PUBLISH, SUBACK

NO_SUBSCRIPTION_EXISTED = 0x11


async def deliveries_come_on_the_stream_that_subscribed(front: Front) -> None:
    async with gateway(front.target) as (peer, control):
        first, second = peer.open(), peer.open()
        await first.subscribe("a/#")
        await second.subscribe("a/#")
        await second.publish("a/b", b"once each")
        for stream in (first, second):
            expect(await stream.message() == ("a/b", b"once each"), f"delivery on stream {stream.id}")
        await control.publish("a/b", b"again")
        for stream in (first, second):
            expect(await stream.message() == ("a/b", b"again"), f"delivery on stream {stream.id}")
        expect(not any(packet.type == PUBLISH for packet in control.packets), "the control stream had no subscription")


async def a_data_stream_before_connack_waits(front: Front) -> None:
    async with client(front.target) as peer:
        control, early = peer.open(), peer.open()
        early.send(mqtt_build.subscribe(1, "a/#", version=front.target.version))
        await asyncio.sleep(0.3)
        expect(early.bytes_received == 0, "an answer came before CONNACK")
        await control.connect(GATEWAY)
        await early.expect(SUBACK)


async def packet_ids_and_subscriptions_are_the_streams_own(front: Front) -> None:
    async with gateway(front.target) as (peer, _):
        first, second = peer.open(), peer.open()
        await first.subscribe("a/#")
        code = await second.unsubscribe("a/#")
        expect(code in (None, NO_SUBSCRIPTION_EXISTED), f"UNSUBSCRIBE over another stream: {code}")
        await second.publish("a/b", b"still subscribed")
        expect(await first.message() == ("a/b", b"still subscribed"), "delivery on the first stream")


async def what_is_not_allowed_resets_its_stream_alone(front: Front) -> None:
    version = front.target.version
    wrong = {
        "CONNECT": mqtt_build.connect("another", version),
        "DISCONNECT": mqtt_build.disconnect(),
        "a reserved type": b"\x00\x00",
        "SUBACK": b"\x90\x03\x00\x01\x00",
        "a length of five bytes": b"\x30\xff\xff\xff\xff\x01",
        "SUBSCRIBE with wrong flags": b"\x80\x06\x00\x01\x00\x01a\x00",
    }
    async with gateway(front.target) as (peer, control):
        good = peer.open()
        await good.subscribe("a/#")
        for what, data in wrong.items():
            stream = peer.open()
            stream.send(mqtt_build.publish("a/before", what.encode(), version=version) + data)
            await expect_reset(stream, what)
            await peer.until("STOP_SENDING", lambda: stream.stop_code == 0)
            expect(await good.message() == ("a/before", what.encode()), f"what came before {what}")
        await control.publish("a/b", b"the session is up")
        expect(await good.message() == ("a/b", b"the session is up"), "the other streams go on")


async def a_ping_on_a_data_stream_has_no_answer(front: Front) -> None:
    async with gateway(front.target) as (peer, _):
        stream = peer.open()
        stream.send(mqtt_build.PINGREQ_PACKET)
        await stream.publish("a/b", b"")
        expect(not stream.packets, "an answer to PINGREQ")


async def fin_is_answered_by_fin(front: Front) -> None:
    async with gateway(front.target) as (peer, _):
        watching, stream = peer.open(), peer.open()
        await watching.subscribe("a/#")
        await stream.subscribe("a/#")
        stream.send(mqtt_build.publish("a/b", b"last", 1, 9, version=front.target.version), fin=True)
        await stream.over()
        expect(stream.fin and stream.reset_code is None, f"FIN: {stream.describe_end()}")
        expect(await watching.message() == ("a/b", b"last"), "the last PUBLISH before FIN")


async def a_reset_of_one_direction_leaves_the_other(front: Front) -> None:
    async with gateway(front.target) as (peer, control):
        stream = peer.open()
        await stream.subscribe("a/#")
        peer.abandon(stream.id, 7, stop=False)
        await control.publish("a/b", b"still comes")
        expect(await stream.message() == ("a/b", b"still comes"), "delivery after RESET_STREAM")
        peer.abandon(stream.id, 7, reset=False)
        await expect_reset(stream, "STOP_SENDING", code=7)


async def streams_come_as_streams_end(front: Front) -> None:
    async with gateway(front.target) as (peer, _):
        expect(peer.stream_credit == 10, f"{peer.stream_credit} streams at first")
        for number in range(40):
            stream = peer.open()
            await stream.publish("a/b", str(number).encode())
            stream.send(b"", fin=True)
            await stream.over()
        await peer.until("credit", lambda: peer.stream_credit >= 50)


async def packets_on_data_streams_keep_the_session_alive(front: Front) -> None:
    async with gateway(front.target) as (peer, control):
        stream = peer.open()
        for _ in range(10):
            await stream.publish("a/b", b"")
            await asyncio.sleep(1)
        await control.publish("a/b", b"")


async def big_messages_pass_under_back_pressure(front: Front) -> None:
    # On a busy machine one packet of 3 MB takes longer than the keepalive of the other checks.
    async with gateway(replace(front.target, keep_alive=60)) as (peer, _):
        stream = peer.open()
        await stream.subscribe("a/#")
        payload = bytes(range(256)) * 12_000
        await stream.publish("a/big", payload)
        expect(await stream.message() == ("a/big", payload), "a message of 3 MB")


async def the_end_of_the_control_stream_closes_all(front: Front) -> None:
    async with gateway(front.target) as (peer, control):
        stream = peer.open()
        await stream.subscribe("a/#")
        await control.disconnect()
        await peer.terminated()
        expect(peer.describe_termination() == {"code": 0, "application": True, "reason": ""}, "close 0")


async def commands_reset_refuse_and_take_over(front: Front) -> None:
    async with gateway(front.target) as (peer, control):
        number = (await front.event("stream_opened"))["connection"]
        stream = peer.open()
        await stream.subscribe("a/#")
        await front.command("reset_stream", connection=number, stream=stream.id, code=5)
        await expect_reset(stream, "reset_stream", code=5)
        await front.command("take_over", connection=number)
        await front_path_checks.expect_taken_over(front, peer, control)
        await peer.terminated()
        expect(peer.describe_termination() == {"code": 1, "application": True, "reason": ""}, "close 1")
    await front.command("refuse_connect", code=0x88)
    async with client(front.target) as peer:
        control = peer.open()
        try:
            await control.connect(GATEWAY)
        except Failure as failure:
            expect("136" in str(failure), str(failure))
        else:
            raise Failure("CONNECT was accepted")
        await peer.terminated()
    await front.command("refuse_connect", code=0)
    async with gateway(front.target):
        pass


async def without_data_streams_each_is_refused(front: Front) -> None:
    async with gateway(front.target) as (peer, control):
        stream = peer.open()
        stream.send(mqtt_build.subscribe(1, "a/#", version=front.target.version))
        await expect_reset(stream, "a data stream")
        await control.publish("a/b", b"")


Check = Callable[[Front], Awaitable[None]]
CHECKS: list[Check] = [
    deliveries_come_on_the_stream_that_subscribed,
    a_data_stream_before_connack_waits,
    packet_ids_and_subscriptions_are_the_streams_own,
    what_is_not_allowed_resets_its_stream_alone,
    a_ping_on_a_data_stream_has_no_answer,
    fin_is_answered_by_fin,
    a_reset_of_one_direction_leaves_the_other,
    streams_come_as_streams_end,
    packets_on_data_streams_keep_the_session_alive,
    big_messages_pass_under_back_pressure,
    the_end_of_the_control_stream_closes_all,
    commands_reset_refuse_and_take_over,
]


async def run(arguments: argparse.Namespace) -> None:
    everywhere = tuple(mqtt_build.VERSIONS.values())
    checks = [(check, [], everywhere) for check in CHECKS]
    checks.append((without_data_streams_each_is_refused, ["--no-data-streams"], everywhere))
    checks += [(check, options, everywhere) for check, options in front_path_checks.CHECKS]
    checks += front_session_checks.CHECKS
    for name, version in mqtt_build.VERSIONS.items():
        for check, options, versions in checks:
            if version in versions and arguments.only in check.__name__:  # type: ignore[attr-defined]
                async with front(arguments, version, *options) as running:
                    await perform(check, running, name)


async def perform(check: Check, running: Front, version: str) -> None:
    what = f"{check.__name__.replace('_', ' ')} ({version})"  # type: ignore[attr-defined]
    try:
        await check(running)
    except Failure as failure:
        sys.exit(f"{what}: {failure}")
    print(f"ok: {what}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Checks quic_front.py")
    parser.add_argument("--broker", required=True, help="TCP host:port of an MQTT broker")
    parser.add_argument("--certificates", required=True, help="folder made by certificates.py")
    parser.add_argument("--only", default="", metavar="WORD", help="checks that have this in their name")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
