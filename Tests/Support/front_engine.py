"""Changes aioquic for the QUIC front where it has no setting. Its version is pinned in requirements.txt."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from aioquic.buffer import Buffer
from aioquic.quic.connection import MAX_STREAM_DATA_FRAME_CAPACITY, Limit, QuicConnection
from aioquic.quic.packet import QuicFrameType, pull_quic_transport_parameters, push_quic_transport_parameters

from broker_leg import STREAM_WINDOW

#: Bytes of the largest datagram that EMQX receives.
MAX_UDP_PAYLOAD = 1_472


def adjust_engine(
    quic: QuicConnection,
    streams: int,
    asks_for_certificate: bool,
    idle: Callable[[], float],
    credit_limit: Callable[[int], int | None],
) -> None:
    """Makes a new connection behave as EMQX does.

    `idle`: seconds without a datagram after which it is dropped, unless its client asks for less; `credit_limit`: bytes
    that its client may send in all on a stream, None if the front does not have that stream.
    """
    quic._local_max_streams_bidi = Limit(QuicFrameType.MAX_STREAMS_BIDI, "max_streams_bidi", streams)
    quic._local_active_connection_id_limit = 4
    quic._idle_timeout = partial(_idle_timeout, quic, idle)
    quic._serialize_transport_parameters = partial(_with_limits_of_emqx, quic._serialize_transport_parameters)
    quic._write_stream_limits = partial(_write_stream_limits, quic, credit_limit)
    quic._write_connection_limits = partial(_write_connection_limits, quic, quic._write_connection_limits)
    if asks_for_certificate:
        quic._initialize = partial(_initialize_with_request, quic, quic._initialize)


def _initialize_with_request(quic: QuicConnection, initialize: Callable[[bytes], None], peer_cid: bytes) -> None:
    initialize(peer_cid)
    quic.tls._request_client_certificate = True


def _idle_timeout(quic: QuicConnection, idle: Callable[[], float]) -> float:
    """The smaller of the two sides' idle timeouts."""
    remote = quic._remote_max_idle_timeout
    return max(min(idle(), remote) if remote else idle(), 3 * quic._loss.get_probe_timeout())


def _write_stream_limits(
    quic: QuicConnection, credit_limit: Callable[[int], int | None], builder: Any, space: Any, stream: Any
) -> None:
    """Grants credit for what the broker has taken; aioquic itself would double the window each time."""
    limit = credit_limit(stream.stream_id)
    if limit is not None and limit - stream.max_stream_data_local >= STREAM_WINDOW // 4:
        stream.max_stream_data_local = limit
    if stream.max_stream_data_local_sent != stream.max_stream_data_local:
        buffer = builder.start_frame(
            QuicFrameType.MAX_STREAM_DATA,
            capacity=MAX_STREAM_DATA_FRAME_CAPACITY,
            handler=quic._on_max_stream_data_delivery,
            handler_args=(stream,),
        )
        buffer.push_uint_var(stream.stream_id)
        buffer.push_uint_var(stream.max_stream_data_local)
        stream.max_stream_data_local_sent = stream.max_stream_data_local


def _write_connection_limits(quic: QuicConnection, write: Callable[..., None], builder: Any, space: Any) -> None:
    """Grants a new stream as soon as one has ended; aioquic itself would wait until several have."""
    limit = quic._local_max_streams_bidi
    if limit.value != limit.sent:
        # aioquic grants streams if fewer are left than it can grant; here none are left.
        limit.sent = limit.used
    write(builder=builder, space=space)


def _with_limits_of_emqx(serialize: Callable[[], bytes]) -> bytes:
    """The transport parameters, without the idle timeout and with EMQX's datagram size."""
    parameters = pull_quic_transport_parameters(Buffer(data=serialize()))
    parameters.max_idle_timeout = None
    parameters.max_udp_payload_size = MAX_UDP_PAYLOAD
    buffer = Buffer(capacity=4096)
    push_quic_transport_parameters(buffer, parameters)
    return buffer.data
