"""Checks of quic_front.py: tickets and early data, changing addresses, takeovers, and what needs no connection."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable

import mqtt_build
from aioquic.tls import SessionTicket
from front_harness import GATEWAY, Front, expect, gateway
from mqtt_quic import Client, Failure, Stream, client, within
from mqtt_scan import DISCONNECT

SESSION_TAKEN_OVER = 0x8E


async def _ticket(front: Front) -> SessionTicket:
    """The ticket that a first connection gets."""
    tickets: list[SessionTicket] = []
    async with client(front.target, tickets=tickets) as peer:
        await peer.open().connect(GATEWAY)
        await peer.until("a ticket", lambda: bool(tickets))
    expect(len(tickets) == 1, f"{len(tickets)} tickets")
    return tickets[0]


async def _early_connect(front: Front, ticket: SessionTicket) -> tuple[bool, bool]:
    """Sends CONNECT in the first flight; returns what client and front say of session and early data."""

    def early(peer: Client) -> None:
        stream = peer.open()
        stream.send(stream.connect_packet(GATEWAY), transmit=False)

    async with client(front.target, ticket, early=early) as peer:
        await peer.stream(0).connected()
        assert peer.handshake is not None
        result = (peer.handshake.session_resumed, peer.handshake.early_data_accepted)
        event = await front.event("handshake")
        expect((event["resumed"], event["early_data"]) == result, f"the front reports {event}")
        return result


async def early_data_is_accepted_any_number_of_times(front: Front) -> None:
    ticket = await _ticket(front)
    expect(7_100 < (ticket.not_valid_after - ticket.not_valid_before).total_seconds() < 7_300, "good for two hours")
    await front.event("handshake")
    for _ in range(2):
        expect(await _early_connect(front, ticket) == (True, True), "accepted")


async def early_data_can_be_rejected(front: Front) -> None:
    ticket = await _ticket(front)
    await front.event("handshake")
    await front.command("tickets", mode="reject-early-data")
    expect(await _early_connect(front, ticket) == (True, False), "resumed without early data")
    await front.command("tickets", mode="off")
    expect(await _early_connect(front, ticket) == (False, False), "not resumed")


async def tickets_can_be_forgotten(front: Front) -> None:
    ticket = await _ticket(front)
    await front.event("handshake")
    await front.command("forget_tickets")
    expect(await _early_connect(front, ticket) == (False, False), "a forgotten ticket")


async def tickets_may_allow_no_early_data(front: Front) -> None:
    ticket = await _ticket(front)
    await front.event("handshake")
    expect(ticket.max_early_data_size is None, "early data is allowed")
    async with client(front.target, ticket) as peer:
        await peer.open().connect(GATEWAY)
        event = await front.event("handshake")
        expect(event["resumed"] and not event["early_data"], f"the front reports {event}")


async def without_tickets_none_come(front: Front) -> None:
    tickets: list[SessionTicket] = []
    async with client(front.target, tickets=tickets) as peer:
        control = peer.open()
        await control.connect(GATEWAY)
        await control.publish("a/b", b"")
    expect(not tickets, "a ticket came")


async def the_fourth_rebinding_hangs(front: Front) -> None:
    async with gateway(front.target) as (peer, control):
        for _ in range(3):
            await peer.bind()
            await control.publish("a/b", b"followed")
        await peer.bind()
        try:
            control.send(mqtt_build.publish("a/b", b"not followed", 1, 9, version=front.target.version))
            await peer.until("PUBACK", lambda: any(packet.name == "PUBACK" for packet in control.packets), 2)
        except Failure:
            await front.event("not_followed")
        else:
            raise Failure("followed to the fourth address")


async def a_takeover_costs_a_round_trip_where_the_older_client_answers(front: Front) -> None:
    async with gateway(front.target) as (older, control):
        start = time.monotonic()
        async with gateway(front.target) as (_, newer):
            seconds = time.monotonic() - start
            await expect_taken_over(front, older, control)
            expect(seconds < 2.5, f"CONNECT took {seconds} s")
            await newer.publish("a/b", b"")
        await older.terminated()
        expect(older.describe_termination()["code"] == 1, f"{older.describe_termination()}")


async def expect_taken_over(front: Front, peer: Client, control: Stream) -> None:
    """MQTT 5 has a packet for a takeover; MQTT 3.1.1 gets a FIN."""
    if front.target.version == mqtt_build.MQTT_5:
        last = await control.expect(DISCONNECT)
        expect(last.head[0] == SESSION_TAKEN_OVER, f"DISCONNECT {last.head.hex()}")
        await peer.until("STOP_SENDING", lambda: control.stop_code == SESSION_TAKEN_OVER)
        expect(not control.is_over, f"taken over: {control.describe_end()}")
    else:
        await control.over()
        expect(control.fin, f"taken over: {control.describe_end()}")


async def a_takeover_of_a_silent_client_takes_three_seconds(front: Front) -> None:
    """Only MQTT 5 clients wait."""
    async with gateway(front.target) as (older, _):
        older.unbind()
        start = time.monotonic()
        async with gateway(front.target) as (_, newer):
            seconds = time.monotonic() - start
            expect((seconds >= 3) == (front.target.version == mqtt_build.MQTT_5), f"CONNECT took {seconds} s")
            await newer.publish("a/b", b"")


async def a_number_of_connects_is_refused(front: Front) -> None:
    await front.command("refuse_connect", code=0x89, times=2)
    for _ in range(2):
        async with client(front.target) as peer:
            try:
                await peer.open().connect(GATEWAY)
            except Failure as failure:
                expect("137" in str(failure), str(failure))
            else:
                raise Failure("CONNECT was accepted")
    async with gateway(front.target):
        pass


async def a_reserved_version_is_answered_by_version_negotiation(front: Front) -> None:
    """RFC 9000 6.1, 17.2.1: the answer needs no connection, and comes only to datagrams of at least 1200 bytes."""
    destination, source = os.urandom(8), os.urandom(8)
    head = b"\xc0" + b"\x1a\x2a\x3a\x4a" + bytes([8]) + destination + bytes([8]) + source
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        udp.connect(front.target.address)
        await loop.sock_sendall(udp, head + bytes(1200 - len(head)))
        answer = await within("Version Negotiation", loop.sock_recv(udp, 2048))
    expect(answer[0] & 0x80 == 0x80 and answer[1:5] == bytes(4), f"a long header of version 0: {answer.hex()}")
    expect(answer[5:23] == bytes([8]) + source + bytes([8]) + destination, f"the ids change places: {answer.hex()}")
    expect(b"\x00\x00\x00\x01" in (answer[at : at + 4] for at in range(23, len(answer), 4)), f"v1: {answer.hex()}")


async def keepalive_sets_the_idle_timeout(front: Front) -> None:
    """The client vanishes; the connection is dropped 1.5 x 4 s after CONNECT."""
    async with gateway(front.target) as (peer, _):
        peer.unbind()
        start = time.monotonic()
        event = await front.event("closed")
        seconds = time.monotonic() - start
        expect(event["by"] == "idle" and 4 < seconds < 15, f"{event} after {seconds} s")


CHECKS: list[tuple[Callable[[Front], Awaitable[None]], list[str]]] = [
    (early_data_is_accepted_any_number_of_times, ["--tickets", "early-data"]),
    (early_data_can_be_rejected, ["--tickets", "early-data"]),
    (tickets_can_be_forgotten, ["--tickets", "early-data"]),
    (tickets_may_allow_no_early_data, ["--tickets", "resume"]),
    (without_tickets_none_come, []),
    (the_fourth_rebinding_hangs, ["--follow-rebinds", "3"]),
    (a_takeover_costs_a_round_trip_where_the_older_client_answers, []),
    (a_takeover_of_a_silent_client_takes_three_seconds, []),
    (a_number_of_connects_is_refused, []),
    (a_reserved_version_is_answered_by_version_negotiation, []),
    (keepalive_sets_the_idle_timeout, []),
]
