"""What happens to the will when an MQTT 5 client sends DISCONNECT.

    EMQX 6.0.3          publishes it for every reason but 0, unless the DISCONNECT has Session Expiry 0 and the CONNECT
                        had more: then never, not even for 0x04
    Mosquitto 2.0.11    publishes it only for 0x04, with any Session Expiry
"""

from __future__ import annotations

import mqtt_build
from mqtt_scan import SESSION_EXPIRY, ConnectInfo, Packet, parse_disconnect

NORMAL, WITH_WILL = 0x00, 0x04


def disconnect_for_broker(packet: Packet, connect: ConnectInfo | None) -> bytes:
    """The DISCONNECT that makes Mosquitto treat the will as EMQX does."""
    body = packet.head
    parsed = parse_disconnect(body) if connect is not None and connect.version == 5 else None
    if connect is not None and parsed is not None and parsed.reason != NORMAL:
        ends_session = parsed.session_expiry == 0 and connect.number(SESSION_EXPIRY) > 0
        body = bytes([NORMAL if ends_session else WITH_WILL]) + body[1:]
    return mqtt_build.packet(packet.type << 4 | packet.flags, body)
