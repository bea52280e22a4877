#!/usr/bin/env python3
"""A QUIC front for an MQTT broker that speaks TCP. It behaves towards its clients as EMQX does.

There is one MQTT session per QUIC connection. The client's first bidirectional stream is the control stream; its bytes
go to the broker and back over a TCP connection of their own. Later streams are data streams of the same session
(data_stream.py has the rules for these); with --no-data-streams they are refused.

    quic_front.py --listen 127.0.0.1:0 --broker 127.0.0.1:1883 --certificate server.pem --private-key server.key

Standard output gets one JSON object per line, with `at`, the seconds of a monotonic clock: first `listening` with the
port, then `refused` (a handshake: no acceptor, or a command), `connection`, `handshake`, `crashed` (the client
accepts datagrams), `stream_opened`, `packet`, `takeover_delayed` (by connections that were taken over earlier), `fin`,
`stream_reset`, `stop_sending`, `broker_closed`, `stream_closed` (of data streams), `connect_refused`, `not_followed`
(--follow-rebinds), `closed`. Events of a stream name it.

With --commands, standard input takes one JSON object per line, and its end stops the front:
    {"command": "mute", "direction": "in" | "out" | "both"}   drop all datagrams from now on
    {"command": "unmute"}
    {"command": "close_all", "code": 0, "reason": ""}         APPLICATION_CLOSE on every connection
    {"command": "reset_stream", "connection": n, "stream": id, "code": 0}
                                                              RESET_STREAM and STOP_SENDING
    {"command": "stop_sending", "connection": n, "stream": id, "code": 0}
                                                              only STOP_SENDING, whatever the client answers
    {"command": "refuse_connect", "code": n, "times": m}      answer the next m new CONNECTs with this CONNACK code, or
                                                              all of them where m is left out; code 0: no more
    {"command": "refuse_handshakes", "times": m}              answer the next m new connections with CONNECTION_REFUSED,
                                                              or all of them where m is left out; 0: no more
    {"command": "tickets", "mode": "off" | ...}               as --tickets, for connections that begin afterwards
    {"command": "forget_tickets"}                             behave like a server that has lost its ticket keys
    {"command": "take_over", "connection": n}                 behave as if its client id had connected elsewhere
    {"command": "report"}                                     only answer, after the events of everything until now
    {"command": "stop"}                                       APPLICATION_CLOSE 0 on every connection, and exit
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import sys
import time
from typing import Any

from aioquic.asyncio.server import QuicServer
from aioquic.buffer import Buffer
from aioquic.quic.configuration import SMALLEST_MAX_DATAGRAM_SIZE, QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import QuicHeader, QuicPacketType, pull_quic_header

from front_acceptors import Acceptors
from front_connection import FrontConnection, FrontSettings, FrontSwitches
from front_tickets import LIFETIME, TicketMode, Tickets


def emit(event: str, **fields: Any) -> None:
    """Prints one event. If the reader is gone, the front ends."""
    try:
        sys.stdout.write(json.dumps({"event": event, "at": round(time.monotonic(), 3), **fields}) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        sys.exit(1)


class FrontServer(QuicServer):
    """aioquic's server, with a list of its connections and a switch that drops incoming or outgoing datagrams."""

    def __init__(
        self,
        settings: FrontSettings,
        configuration: QuicConfiguration,
        retry: bool,
        tickets: Tickets,
        acceptors: Acceptors,
        negotiates: bool,
    ) -> None:
        super().__init__(
            configuration=configuration,
            create_protocol=self._create_connection,
            session_ticket_fetcher=tickets.fetch,
            session_ticket_handler=tickets.keep,
            retry=retry,
        )
        self._settings = settings
        self.tickets = tickets
        self.acceptors = acceptors
        self._negotiates = negotiates
        self.switches = FrontSwitches()
        self.connections: set[FrontConnection] = set()
        self.deaf = False
        self.dumb = False

    def _create_connection(self, quic: QuicConnection, stream_handler: Any = None) -> FrontConnection:
        self.tickets.adjust(quic)
        return FrontConnection(quic, self._settings, self.switches, self.acceptors, emit, self.connections)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        send = transport.sendto

        def sendto(data: bytes, addr: Any = None) -> None:
            if not self.dumb and (self._negotiates or not _is_version_negotiation(data)):
                send(data, addr)

        # Every connection sends through the server's transport, so all datagrams pass here.
        self._transport = _SendingTransport(transport, sendto)

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        if self.deaf:
            return
        header = self._header_of_new(data)
        refusal = self.acceptors.refusal(header, addr) if header is not None else None
        if refusal is None:
            super().datagram_received(data, addr)
        else:
            self._transport.sendto(refusal, addr)

    def _header_of_new(self, data: bytes | str) -> QuicHeader | None:
        """The header of a datagram that begins a connection; its address is already validated if that is asked for."""
        assert isinstance(data, bytes)
        if len(data) < SMALLEST_MAX_DATAGRAM_SIZE or not data[0] & 0x80:
            return None
        try:
            header = pull_quic_header(Buffer(data=data), host_cid_length=self._configuration.connection_id_length)
        except ValueError:
            return None
        is_new = header.packet_type == QuicPacketType.INITIAL and header.destination_cid not in self._protocols
        if not is_new or header.version not in self._configuration.supported_versions:
            return None
        return header if self._retry is None or header.token else None

    def connection(self, number: int) -> FrontConnection | None:
        return next((connection for connection in self.connections if connection.number == number), None)

    def close_all(self, code: int, reason: str) -> None:
        for connection in list(self.connections):
            connection.close_from_server(code, reason)


def _is_version_negotiation(data: bytes) -> bool:
    """RFC 9000 17.2.1: a long header, and 0 in place of a version."""
    return bool(data[0] & 0x80) and data[1:5] == bytes(4)


class _SendingTransport:
    """A datagram transport whose sendto is another function."""

    def __init__(self, transport: asyncio.BaseTransport, sendto: Any) -> None:
        self._transport = transport
        self.sendto = sendto

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Commands(asyncio.Protocol):
    """Reads standard input, one JSON object per line."""

    def __init__(self, server: FrontServer, stopped: asyncio.Event) -> None:
        self._server = server
        self._stopped = stopped
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.strip():
                self._perform(json.loads(line))

    def connection_lost(self, exc: Exception | None) -> None:
        self._stopped.set()

    def _perform(self, command: dict[str, Any]) -> None:
        match command["command"]:
            case "mute":
                direction = command.get("direction", "both")
                self._server.deaf = direction in ("in", "both")
                self._server.dumb = direction in ("out", "both")
            case "unmute":
                self._server.deaf = self._server.dumb = False
            case "close_all":
                self._server.close_all(command.get("code", 0), command.get("reason", ""))
            case "refuse_connect":
                self._server.switches.refuse_connects(command["code"], command.get("times"))
            case "refuse_handshakes":
                self._server.acceptors.refuse(command.get("times"))
            case "tickets":
                self._server.tickets.mode = TicketMode(command["mode"])
            case "forget_tickets":
                self._server.tickets.forget()
            case "reset_stream" | "stop_sending" | "take_over":
                if not self._perform_on_connection(command):
                    emit("error", message=f"no such connection or stream: {command}")
                    return
            case "report":
                pass
            case "stop":
                self._stopped.set()
            case other:
                emit("error", message=f"unknown command {other!r}")
                return
        emit("done", command=command["command"])

    def _perform_on_connection(self, command: dict[str, Any]) -> bool:
        connection = self._server.connection(command["connection"])
        if connection is None:
            return False
        if command["command"] == "reset_stream":
            return connection.reset_stream(command["stream"], command.get("code", 0))
        if command["command"] == "stop_sending":
            return connection.stop_sending(command["stream"], command.get("code", 0))
        connection.take_over()
        return True


def parse_address(text: str) -> tuple[str, int]:
    """`host:port`, with an IPv6 address in brackets."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not host:port")
    return host.strip("[]"), int(port)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="QUIC front for an MQTT broker, with the rules of EMQX")
    parser.add_argument("--listen", type=parse_address, default=("127.0.0.1", 14567), help="UDP host:port; port 0: any")
    parser.add_argument("--broker", type=parse_address, required=True, help="TCP host:port of the broker")
    parser.add_argument("--certificate", required=True, help="PEM file: the server's certificate, then its chain")
    parser.add_argument("--private-key", required=True, help="PEM file")
    parser.add_argument("--client-ca", help="PEM file; clients need a certificate of this CA")
    parser.add_argument("--alpn", action="append", help="may be given several times; default: mqtt")
    parser.add_argument("--retry", action="store_true", help="validate every client's address by a Retry packet first")
    parser.add_argument(
        "--tickets", type=TicketMode, choices=list(TicketMode), default=TicketMode.OFF,
        help="session tickets: to resume only, with early data accepted (and its replays), or with early data rejected",
    )  # fmt: skip
    parser.add_argument("--ticket-lifetime", type=int, default=LIFETIME, help="seconds")
    parser.add_argument(
        "--follow-rebinds", type=int, metavar="N",
        help="ignore what comes from a connection's address after its Nth change; EMQX 6.0.3: 3. Default: follow all",
    )  # fmt: skip
    parser.add_argument(
        "--acceptors", type=int, metavar="N",
        help="refuse connections beyond N handshakes under way; EMQX: max(16, 8 x its cores). Default: refuse none",
    )  # fmt: skip
    parser.add_argument(
        "--accept-delay", type=int, metavar="MS", default=0,
        help="hold each handshake for so many ms before it is answered, so that many are under way at once",
    )  # fmt: skip
    parser.add_argument(
        "--no-version-negotiation", action="store_true",
        help="leave what has an unknown version unanswered, as where a firewall swallows it",
    )  # fmt: skip
    parser.add_argument("--idle-timeout", type=float, help="seconds, instead of 1.5 x the client's MQTT keepalive")
    parser.add_argument("--streams", type=int, default=10, help="bidirectional streams at once on a connection")
    parser.add_argument("--no-data-streams", action="store_true", help="refuse all streams after the control stream")
    parser.add_argument("--no-packets", action="store_true", help="no `packet` events; for load")
    parser.add_argument("--commands", action="store_true", help="take commands from standard input; stop at its end")
    return parser.parse_args()


async def run(arguments: argparse.Namespace) -> None:
    configuration = QuicConfiguration(
        is_client=False,
        alpn_protocols=arguments.alpn or ["mqtt"],
        # As at EMQX. FrontConnection has the idle timeout, because EMQX announces none.
        max_data=16_777_216,
        max_stream_data=65_536,
        max_datagram_size=1_452,
    )
    configuration.load_cert_chain(arguments.certificate, arguments.private_key)
    settings = FrontSettings(
        broker=arguments.broker,
        client_ca=arguments.client_ca,
        idle_timeout=arguments.idle_timeout,
        reports_packets=not arguments.no_packets,
        streams=arguments.streams,
        data_streams=not arguments.no_data_streams,
        follow_rebinds=arguments.follow_rebinds,
    )
    acceptors = Acceptors(arguments.acceptors, arguments.accept_delay / 1_000, emit)
    tickets = Tickets(arguments.tickets, arguments.ticket_lifetime)
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: FrontServer(
            settings, configuration, arguments.retry, tickets, acceptors, not arguments.no_version_negotiation
        ),
        local_addr=arguments.listen,
    )
    udp: socket.socket = transport.get_extra_info("socket")
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    address, port = udp.getsockname()[:2]

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if arguments.commands:
        await loop.connect_read_pipe(lambda: Commands(server, stopped), sys.stdin)

    emit("listening", address=address, port=port)
    await stopped.wait()
    server.close_all(0, "front stops")
    server.close()


if __name__ == "__main__":
    asyncio.run(run(parse_arguments()))
