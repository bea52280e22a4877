"""Builds the MQTT packets that clients send, byte by byte, for peers that share no code with the program under test."""

from __future__ import annotations

from mqtt_scan import CONNECT, DISCONNECT, PINGREQ, PUBACK, PUBLISH, SESSION_EXPIRY, SUBSCRIBE, UNSUBSCRIBE

MQTT_3_1_1, MQTT_5 = 4, 5
VERSIONS = {"3.1.1": MQTT_3_1_1, "5.0": MQTT_5}

PINGREQ_PACKET = bytes([PINGREQ << 4, 0])


def string(value: str | bytes) -> bytes:
    """A string or binary data, preceded by its length."""
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def variable_length(value: int) -> bytes:
    encoded = bytearray()
    while True:
        value, digit = divmod(value, 128)
        encoded.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(encoded)


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + variable_length(len(body)) + body


def connect(
    client_id: str,
    version: int = MQTT_3_1_1,
    keep_alive: int = 60,
    will_topic: str | None = None,
    clean: bool = True,
    username: str | bytes | None = None,
    password: str | bytes | None = None,
    properties: bytes = b"",
    will_properties: bytes = b"",
) -> bytes:
    """CONNECT; the payload of a will is "gone". Properties are for MQTT 5, encoded, without their length."""
    flags = (0x02 if clean else 0) | (0x04 if will_topic is not None else 0)
    flags |= (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    name = "MQIsdp" if version == 3 else "MQTT"
    body = string(name) + bytes([version, flags]) + keep_alive.to_bytes(2, "big")
    body += _properties(version, properties) + string(client_id)
    if will_topic is not None:
        body += _properties(version, will_properties) + string(will_topic) + string("gone")
    body += b"".join(string(item) for item in (username, password) if item is not None)
    return packet(CONNECT << 4, body)


def subscribe(packet_id: int, topic: str, qos: int = 0, version: int = MQTT_3_1_1) -> bytes:
    body = packet_id.to_bytes(2, "big") + _properties(version) + string(topic) + bytes([qos])
    return packet(SUBSCRIBE << 4 | 2, body)


def unsubscribe(packet_id: int, topic: str, version: int = MQTT_3_1_1) -> bytes:
    return packet(UNSUBSCRIBE << 4 | 2, packet_id.to_bytes(2, "big") + _properties(version) + string(topic))


def publish(
    topic: str, payload: bytes, qos: int = 0, packet_id: int = 1, retain: bool = False, version: int = MQTT_3_1_1
) -> bytes:
    identifier = packet_id.to_bytes(2, "big") if qos else b""
    first = PUBLISH << 4 | qos << 1 | int(retain)
    return packet(first, string(topic) + identifier + _properties(version) + payload)


def puback(packet_id: int) -> bytes:
    return packet(PUBACK << 4, packet_id.to_bytes(2, "big"))


def disconnect(reason: int | None = None, properties: bytes | None = None) -> bytes:
    """DISCONNECT; a reason code is for MQTT 5, and so are properties, which need a reason code."""
    body = bytes([reason]) if reason is not None else b""
    return packet(DISCONNECT << 4, body + (_properties(MQTT_5, properties) if properties is not None else b""))


def session_expiry(seconds: int) -> bytes:
    """The property of CONNECT and DISCONNECT."""
    return bytes([SESSION_EXPIRY]) + seconds.to_bytes(4, "big")


def will_delay(seconds: int) -> bytes:
    """The property of a will."""
    return b"\x18" + seconds.to_bytes(4, "big")


def _properties(version: int, properties: bytes = b"") -> bytes:
    return variable_length(len(properties)) + properties if version == MQTT_5 else b""
