"""What becomes of the will when a client of MQTT 5 says DISCONNECT.

    EMQX 6.0.3          publishes it for every reason but 0, unless the DISCONNECT has Session Expiry 0 where the CONNECT
                        had more: then never, 0x04 included
    Mosquitto 2.0.11    publishes it for 0x04 alone, with any Session Expiry
"""

from __future__ import annotations

import mqtt_build
from mqtt_scan import SESSION_EXPIRY, ConnectInfo, Packet, parse_disconnect

NORMAL, WITH_WILL = 0x00, 0x04


def disconnect_for_broker(packet: Packet, connect: ConnectInfo | None) -> bytes:
    """The DISCONNECT that has Mosquitto do with the will what EMQX does."""
    body = packet.head
    parsed = parse_disconnect(body) if connect is not None and connect.version == 5 else None
    if connect is not None and parsed is not None and parsed.reason != NORMAL:
        ends_session = parsed.session_expiry == 0 and connect.number(SESSION_EXPIRY) > 0
        body = bytes([NORMAL if ends_session else WITH_WILL]) + body[1:]
    return mqtt_build.packet(packet.type << 4 | packet.flags, body)
