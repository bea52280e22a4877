#!/usr/bin/env python3
"""Clients of another QUIC stack against `mqtt-quic-bridge serve`, or any other server of MQTT over QUIC.

    serve_client.py SCENARIO --server 127.0.0.1:14567 --ca ca.pem [options]

    single               connect, subscribe, publish, receive, and end as --end says
    second-stream        on ALPN mqtt, a second stream is refused by RESET_STREAM(0) and STOP_SENDING(0)
    mux                  --streams sessions on one connection, --messages each; one is reset, the others continue
    retry                reports whether a Retry was sent; --expect yes | no
    resume               CONNECT in early data; --expect accepted | rejected; --ticket FILE keeps the ticket for later
    replay               sends the first flight of a connection with early data again; its PUBLISH must run once; with
                         --flight FILE, what an earlier run captured is sent to another process and must not run at all
    migrate              changes the UDP port --count times (NAT rebinding); messages continue
    keep                 stays connected until standard input ends, with one message per stream every --interval
    flood                --count Initials from --addresses addresses; then an honest client must get through
    version              an unknown version is answered by Version Negotiation
    unknown-cid          a packet of an unknown connection is answered by a smaller stateless reset
    client-certificate   is let in with --certificate; without it, and with --other-certificate, refused by a TLS alert

One run is one scenario. Standard output gets one JSON object per line: `connected` for each connection (alpn, retry,
resumed, early_data, credit, certificate as SHA-256), what the scenario saw, and finally `done` or `failed` with a
message. The exit code is 1 if the server did not do what the scenario expects; the message is then on standard error too.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

import serve_probes
import serve_resumption
import serve_scenarios
from mqtt_build import VERSIONS
from mqtt_quic import Failure, Target
from serve_context import Context

#: The function of each scenario by its name, and the ALPN that it offers by default.
SCENARIOS: dict[str, tuple[Callable[[Context], Awaitable[None]], str]] = {
    "single": (serve_scenarios.single, "mqtt"),
    "second-stream": (serve_scenarios.second_stream, "mqtt"),
    "mux": (serve_scenarios.mux, "mqtt-mux"),
    "retry": (serve_scenarios.retry, "mqtt"),
    "resume": (serve_resumption.resume, "mqtt"),
    "replay": (serve_resumption.replay, "mqtt"),
    "migrate": (serve_scenarios.migrate, "mqtt"),
    "keep": (serve_scenarios.keep, "mqtt-mux"),
    "flood": (serve_probes.flood, "mqtt"),
    "version": (serve_probes.version, "mqtt"),
    "unknown-cid": (serve_probes.unknown_connection_id, "mqtt"),
    "client-certificate": (serve_scenarios.client_certificate, "mqtt"),
}
ENDS = ["disconnect", "disconnect-no-fin", "fin", "reset", "close", "vanish"]


def parse_address(text: str) -> tuple[str, int]:
    """`address:port`, with an IPv6 address in brackets."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not address:port")
    return host.strip("[]"), int(port)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="MQTT over QUIC scenarios; the module's text has them all")
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--server", type=parse_address, required=True, help="address:port")
    parser.add_argument("--ca", required=True, help="PEM file")
    parser.add_argument("--server-name", default="localhost", help="name that the server's certificate must have")
    parser.add_argument("--alpn", action="append", help="may be given several times; default: by scenario")
    parser.add_argument("--client-id", default="serve-client", help="prefix of client ids and topics")
    parser.add_argument("--username")
    parser.add_argument("--password")
    parser.add_argument("--version", choices=VERSIONS, default="3.1.1", help="of MQTT")
    parser.add_argument("--keep-alive", type=int, default=60, help="of MQTT, in seconds")
    parser.add_argument("--certificate", help="PEM file of a client certificate")
    parser.add_argument("--private-key", help="PEM file of its key")
    parser.add_argument("--other-certificate", help="client-certificate: one that is to be refused")
    parser.add_argument("--other-private-key")
    parser.add_argument("--end", choices=ENDS, default="disconnect", help="single: how the client ends")
    parser.add_argument("--will", help="single: topic of a will")
    parser.add_argument("--size", type=int, default=0, help="single: bytes of the message")
    parser.add_argument("--await-close", action="store_true", help="single: wait until the server has closed")
    parser.add_argument("--streams", type=int, default=1, help="mux, keep")
    parser.add_argument("--messages", type=int, default=1, help="mux: on each stream")
    parser.add_argument("--expect", choices=["yes", "no", "accepted", "rejected"], help="retry, resume")
    parser.add_argument("--within", type=float, default=0, help="resume, replay: seconds to try until it is accepted")
    parser.add_argument("--ticket", help="resume, replay: file that a ticket is read from, or written to if missing")
    parser.add_argument("--flight", help="replay: file that captured datagrams are kept in, or are read from if there")
    parser.add_argument("--count", type=int, default=10, help="migrate: rebindings; flood: Initials")
    parser.add_argument("--pause", type=float, default=0.2, help="migrate: after each; flood, replay: at the end")
    parser.add_argument("--change-connection-id", action="store_true", help="migrate: with another connection ID")
    parser.add_argument("--addresses", type=int, default=64, help="flood: addresses of the loopback it comes from")
    parser.add_argument("--interval", type=float, default=0.2, help="keep: seconds between messages")
    return parser.parse_args()


async def run(arguments: argparse.Namespace) -> int:
    scenario, alpn = SCENARIOS[arguments.scenario]
    target = Target(
        address=arguments.server,
        ca=arguments.ca,
        alpn=tuple(arguments.alpn or [alpn]),
        server_name=arguments.server_name,
        certificate=arguments.certificate,
        private_key=arguments.private_key,
        keep_alive=arguments.keep_alive,
        version=VERSIONS[arguments.version],
        username=arguments.username,
        password=arguments.password,
    )
    context = Context(target, arguments)
    try:
        await scenario(context)
    except Failure as failure:
        context.report("failed", message=str(failure))
        print(f"{arguments.scenario}: {failure}", file=sys.stderr)
        return 1
    context.report("done")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(run(parse_arguments())))
