"""What all scenarios of serve_client.py share."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from typing import Any

from mqtt_quic import Client, Failure, Stream, Target


@dataclass
class Context:
    """One scenario: the server, the options, and where to report."""

    target: Target
    arguments: argparse.Namespace
    _start: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        """Prefix of all client ids and topics."""
        return str(self.arguments.client_id)

    def report(self, event: str, **fields: Any) -> None:
        """Prints one JSON object, with the seconds since the scenario's start."""
        print(json.dumps({"event": event, "after": self.elapsed, **fields}), flush=True)

    @property
    def elapsed(self) -> float:
        return round(time.monotonic() - self._start, 3)

    def report_connection(self, client: Client) -> None:
        handshake = client.handshake
        assert handshake is not None
        self.report(
            "connected",
            alpn=handshake.alpn_protocol,
            retry=client.retried,
            resumed=handshake.session_resumed,
            early_data=handshake.early_data_accepted,
            credit=client.stream_credit,
            certificate=client.certificate_fingerprint,
        )
        if handshake.alpn_protocol not in self.target.alpn:
            raise Failure(f"ALPN is {handshake.alpn_protocol}, offered were {self.target.alpn}")


async def echo(stream: Stream, topic: str, payload: bytes) -> None:
    """Publishes to the topic that the stream has subscribed to, with QoS 1, and awaits the message."""
    await stream.publish(topic, payload)
    received = await stream.message()
    if received != (topic, payload):
        raise Failure(f"published {payload[:40]!r} on {topic}, received {received[1][:40]!r} on {received[0]}")
