"""Scenarios of serve_client.py that are regular sessions, in any number and over any path."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import replace

import mqtt_build
from mqtt_quic import Client, Failure, Stream, client, within
from mqtt_scan import DISCONNECT
from serve_context import Context, echo


async def single(context: Context) -> None:
    """One session on one stream, ended in the chosen way."""
    topic = f"{context.name}/echo"
    async with client(context.target) as peer:
        context.report_connection(peer)
        stream = peer.open()
        await stream.connect(context.name, context.arguments.will)
        await stream.subscribe(topic)
        await echo(stream, topic, bytes(context.arguments.size) or b"hello")
        context.report("echoed", size=context.arguments.size)
        await _end(context, peer, stream)


async def _end(context: Context, peer: Client, stream: Stream) -> None:
    start = time.monotonic()
    how = context.arguments.end
    match how:
        case "disconnect":
            await stream.disconnect()
        case "disconnect-no-fin":
            stream.send(mqtt_build.disconnect())
            await stream.over()
        case "fin":
            stream.send(b"", fin=True)
            await stream.over()
        case "reset":
            stream.reset(7)
            await stream.over()
        case "close":
            pass
        case "vanish":
            os._exit(0)
    seconds = round(time.monotonic() - start, 3)
    context.report("stream_ended", how=how, seconds=seconds, **stream.describe_end())
    if how != "close" and context.arguments.await_close:
        await peer.terminated()
        context.report("closed", seconds=round(time.monotonic() - start, 3), **peer.describe_termination())


async def second_stream(context: Context) -> None:
    """On a connection for one session, a second stream is refused, and the first one continues."""
    topic = f"{context.name}/echo"
    async with client(context.target) as peer:
        context.report_connection(peer)
        first = peer.open()
        await first.connect(context.name)
        await first.subscribe(topic)
        if peer.stream_credit < 2:
            raise Failure(f"the server lets {peer.stream_credit} streams be opened, so a second one can't be tried")
        second = peer.open()
        second.send(second.connect_packet(f"{context.name}-2"))
        await second.over()
        await peer.until("STOP_SENDING on the second stream", lambda: second.stop_code is not None)
        context.report("second_stream", bytes=second.bytes_received, **second.describe_end())
        if second.bytes_received or second.reset_code != 0 or second.stop_code != 0:
            raise Failure("the second stream was not refused by RESET_STREAM(0) and STOP_SENDING(0) without a byte")
        await echo(first, topic, b"still here")
        await first.disconnect()


async def mux(context: Context) -> None:
    """Many streams, each a session of its own; all publish and receive."""
    count, rounds = context.arguments.streams, context.arguments.messages
    async with client(context.target) as peer:
        context.report_connection(peer)
        streams = [peer.open() for _ in range(count)]
        start = time.monotonic()
        await asyncio.gather(*(_begin(context, stream, index) for index, stream in enumerate(streams)))
        context.report("sessions", count=count, seconds=round(time.monotonic() - start, 3), credit=peer.stream_credit)
        start = time.monotonic()
        for number in range(rounds):
            payloads = [f"{number} of {index}".encode() for index in range(count)]
            await asyncio.gather(
                *(echo(stream, _topic(context, index), payloads[index]) for index, stream in enumerate(streams))
            )
        context.report("echoed", messages=count * rounds, seconds=round(time.monotonic() - start, 3))
        await _end_one_early(streams)
        await asyncio.gather(*(stream.disconnect() for stream in streams[1:]))
        context.report("streams_ended", count=count)


async def _begin(context: Context, stream: Stream, index: int) -> None:
    await stream.connect(f"{context.name}-{index}")
    await stream.subscribe(_topic(context, index))


def _topic(context: Context, index: int) -> str:
    return f"{context.name}/{index}"


async def _end_one_early(streams: list[Stream]) -> None:
    """A reset ends one session and does not affect the others."""
    streams[0].reset()
    await streams[0].over()
    if any(stream.is_over for stream in streams[1:]):
        raise Failure("the reset of one stream ended another")


async def retry(context: Context) -> None:
    """Reports whether the server validates addresses by a Retry."""
    async with client(context.target) as peer:
        context.report_connection(peer)
        stream = peer.open()
        await stream.connect(context.name)
        await stream.disconnect()
        expected = context.arguments.expect
        if expected is not None and (expected == "yes") != peer.retried:
            raise Failure(f"Retry came: {peer.retried}, expected: {expected}")


async def migrate(context: Context) -> None:
    """The client's port changes repeatedly, as behind a NAT; messages continue."""
    topic = f"{context.name}/echo"
    async with client(context.target) as peer:
        context.report_connection(peer)
        stream = peer.open()
        await stream.connect(context.name)
        await stream.subscribe(topic)
        for number in range(context.arguments.count):
            port = await peer.bind()
            if context.arguments.change_connection_id:
                peer.change_connection_id()
            start = time.monotonic()
            await echo(stream, topic, f"after rebinding {number}".encode())
            context.report("rebound", number=number, port=port, seconds=round(time.monotonic() - start, 3))
            await asyncio.sleep(context.arguments.pause)
        await stream.disconnect()


async def client_certificate(context: Context) -> None:
    """A client with a certificate is let in; one without, or with one of another CA, is refused by a TLS alert."""
    if context.target.certificate is None:
        raise Failure("this scenario needs --certificate and --private-key")
    topic = f"{context.name}/echo"
    async with client(context.target) as peer:
        context.report_connection(peer)
        stream = peer.open()
        await stream.connect(context.name)
        await stream.subscribe(topic)
        await echo(stream, topic, b"with a certificate")
        await stream.disconnect()
    arguments = context.arguments
    others = {"none": (None, None)}
    if arguments.other_certificate is not None:
        others["other"] = (arguments.other_certificate, arguments.other_private_key)
    for which, (certificate, key) in others.items():
        target = replace(context.target, certificate=certificate, private_key=key)
        await _expect_alert(Context(target, arguments), which)


async def _expect_alert(context: Context, certificate: str) -> None:
    """The client's handshake may be complete before the server has checked the certificate."""
    peer: Client | None = None
    try:
        async with client(context.target) as peer:
            stream = peer.open()
            stream.send(stream.connect_packet(context.name))
            termination = await peer.terminated()
    except Failure as failure:
        if peer is not None:
            raise
        context.report("refused", certificate=certificate, message=str(failure))
        return
    context.report("refused", certificate=certificate, **peer.describe_termination())
    if stream.bytes_received:
        raise Failure("a client that was refused got an answer to its CONNECT")
    if termination.frame_type is None or not 0x100 <= termination.error_code <= 0x1FF:
        raise Failure(f"refused without a TLS alert: {peer.describe_termination()}")


async def keep(context: Context) -> None:
    """Stays connected and echoes until standard input or the server ends that; reports how it ended."""
    async with client(context.target) as peer:
        context.report_connection(peer)
        streams = [peer.open() for _ in range(context.arguments.streams)]
        await asyncio.gather(*(_begin(context, stream, index) for index, stream in enumerate(streams)))
        context.report("sessions", count=len(streams))
        stopped = asyncio.Event()
        await asyncio.get_running_loop().connect_read_pipe(lambda: _EndOfInput(stopped), sys.stdin)
        rounds = asyncio.ensure_future(_rounds(context, streams, stopped))
        ended = asyncio.ensure_future(_ended_by_server(peer, streams))
        await asyncio.wait([rounds, ended], return_when=asyncio.FIRST_COMPLETED)
        if stopped.is_set() and not ended.done():
            ended.cancel()
            await rounds
            await asyncio.gather(*(stream.disconnect() for stream in streams))
            context.report("ended", by="client")
            return
        # The report includes what a round was waiting for when the server ended the connection.
        await within("the server's end of all streams", ended)
        rounds.cancel()
        await asyncio.gather(rounds, return_exceptions=True)
        await _report_end(context, peer, streams)


class _EndOfInput(asyncio.Protocol):
    def __init__(self, stopped: asyncio.Event) -> None:
        self._stopped = stopped

    def connection_lost(self, exc: Exception | None) -> None:
        self._stopped.set()


async def _rounds(context: Context, streams: list[Stream], stopped: asyncio.Event) -> None:
    number = 0
    while not stopped.is_set():
        number += 1
        start = time.monotonic()
        payload = str(number).encode()
        await asyncio.gather(*(echo(stream, _topic(context, index), payload) for index, stream in enumerate(streams)))
        context.report("round", number=number, seconds=round(time.monotonic() - start, 4))
        try:
            await asyncio.wait_for(stopped.wait(), context.arguments.interval)
        except TimeoutError:
            continue


async def _ended_by_server(peer: Client, streams: list[Stream]) -> None:
    try:
        await peer.until("an end", lambda: all(stream.is_over for stream in streams), patience=86_400)
    except Failure:
        return
    # A server that ends a stream by FIN waits for the client's FIN.
    for stream in streams:
        if stream.fin:
            stream.send(b"", fin=True)


async def _report_end(context: Context, peer: Client, streams: list[Stream]) -> None:
    reasons = [
        packet.head[0] if packet.head else 0
        for stream in streams
        for packet in stream.packets
        if packet.type == DISCONNECT
    ]
    await peer.terminated()
    context.report(
        "ended",
        by="server",
        disconnects=reasons,
        fins=sum(stream.fin for stream in streams),
        resets=[stream.reset_code for stream in streams if stream.reset_code is not None],
        **peer.describe_termination(),
    )
