"""Scenarios of serve_client.py about session tickets and early data."""

from __future__ import annotations

import asyncio
import pickle
import time
from pathlib import Path

from aioquic.tls import SessionTicket

import mqtt_build
from mqtt_quic import Client, Failure, Stream, client
from serve_context import Context, echo
from serve_probes import Answers, exchange

#: Seconds after which the server forgets a connection that the client has closed (RFC 9000 10.2: three PTOs).
FORGOTTEN_AFTER = 1.5


async def resume(context: Context) -> None:
    """A second connection with the first one's ticket, and CONNECT in its first flight."""
    ticket = await _ticket(context)
    topic = f"{context.name}/echo"
    deadline = time.monotonic() + context.arguments.within
    while True:

        def early(peer: Client) -> None:
            stream = peer.open()
            stream.send(stream.connect_packet(context.name), transmit=False)

        tickets: list[SessionTicket] = []
        async with client(context.target, ticket, tickets, early) as peer:
            context.report_connection(peer)
            stream = peer.stream(0)
            await stream.connected()
            await stream.subscribe(topic)
            await echo(stream, topic, b"resumed")
            await stream.disconnect()
            accepted = peer.handshake is not None and peer.handshake.early_data_accepted
        if accepted or context.arguments.expect != "accepted" or time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
        ticket = tickets[-1] if tickets else ticket
    expected = context.arguments.expect
    if expected is not None and (expected == "accepted") != accepted:
        raise Failure(f"early data was accepted: {accepted}, expected: {expected}")


async def _ticket(context: Context) -> SessionTicket:
    """The ticket from the given file, or from a connection that is made to get one."""
    path = Path(context.arguments.ticket) if context.arguments.ticket is not None else None
    if path is not None and path.exists():
        ticket = pickle.loads(path.read_bytes())
        assert isinstance(ticket, SessionTicket)
        return ticket
    tickets: list[SessionTicket] = []
    async with client(context.target, tickets=tickets) as peer:
        context.report_connection(peer)
        stream = peer.open()
        await stream.connect(context.name)
        await peer.until("a session ticket", lambda: bool(tickets))
        await stream.disconnect()
    context.report("ticket", early_data=tickets[0].max_early_data_size, count=len(tickets))
    if path is not None:
        path.write_bytes(pickle.dumps(tickets[0]))
    return tickets[0]


async def replay(context: Context) -> None:
    """Sends the first flight of a connection with early data again from another socket: its PUBLISH must not run again.

    It does so once while the connection is open, and once when the server has forgotten it. With --flight and a file that
    exists, what an earlier run captured is sent to a server that may be another process with the same ticket keys.
    """
    topic = f"{context.name}/replayed"
    file = Path(context.arguments.flight) if context.arguments.flight is not None else None
    async with client(context.target) as watcher:
        watching = watcher.open()
        await watching.connect(f"{context.name}-watcher")
        await watching.subscribe(topic)
        if file is not None and file.exists():
            expected, (flight, payload) = 0, pickle.loads(file.read_bytes())
        else:
            expected, (flight, payload) = 1, await _early_connection(context, topic)
            await asyncio.sleep(FORGOTTEN_AFTER + context.arguments.pause)
        answers = await exchange(context.target, flight, seconds=2)
        context.report("replayed", alive=False, **answers.summary())
        runs = await _count(watching, topic, payload)
        context.report("runs", count=runs)
        if runs != expected:
            raise Failure(f"the PUBLISH in early data was run {runs} times, expected: {expected}")
        if file is not None and expected:
            file.write_bytes(pickle.dumps((flight, payload)))
        await watching.disconnect()


async def _early_connection(context: Context, topic: str) -> tuple[list[bytes], bytes]:
    """Makes a connection whose early data is accepted, replays it while the connection is open, and closes that.

    Returns its first flight and the payload that was published in it.
    """
    ticket = await _ticket(context)
    deadline = time.monotonic() + context.arguments.within
    for attempt in range(1, 1_000):
        payload = f"attempt {attempt}".encode()

        def early(peer: Client) -> None:
            stream = peer.open()
            publish = mqtt_build.publish(topic, payload, version=context.target.version)
            stream.send(stream.connect_packet(f"{context.name}-early") + publish, transmit=False)

        tickets: list[SessionTicket] = []
        async with client(context.target, ticket, tickets, early) as peer:
            context.report_connection(peer)
            stream = peer.stream(0)
            await stream.connected()
            if peer.handshake is not None and peer.handshake.early_data_accepted:
                await _replay_alive(context, peer)
                return peer.traffic.first_flight, payload
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
        ticket = tickets[-1] if tickets else ticket
    raise Failure("early data was not accepted, so there is nothing to replay")


async def _replay_alive(context: Context, peer: Client) -> None:
    answers: Answers = await exchange(context.target, peer.traffic.first_flight, seconds=1)
    context.report("replayed", alive=True, datagrams_sent=len(peer.traffic.first_flight), **answers.summary())
    stream, topic = peer.stream(0), f"{context.name}/victim"
    await stream.subscribe(topic)
    await echo(stream, topic, b"not taken over")


async def _count(watching: Stream, topic: str, payload: bytes) -> int:
    """How often the watcher has received this payload; another message marks the end."""
    await watching.publish(topic, b"end")
    count = 0
    while True:
        _, received = await watching.message()
        if received == b"end":
            return count
        count += received == payload
