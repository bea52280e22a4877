#!/usr/bin/env python3
"""Runs any number of paho-mqtt clients, driven by JSON lines on standard input, reporting by JSON lines on standard output.

Every command and event names its client: {"command": "connect", "client": "a", ...}. The end of the input ends them all.

Commands (optional parts are in brackets):
    connect      port [host, version "3.1" | "3.1.1" | "5.0", client_id, clean, keep_alive, username, password,
                 will {topic, payload, qos, retain, properties}, properties]
    publish      topic [payload, qos, retain, properties]; answered by `publishing` with the message id
    subscribe    filters [[filter, qos or {qos, no_local, retain_as_published, retain_handling}], ...] [properties];
                 answered by `subscribing` with the message id
    unsubscribe  filters [filter, ...]; answered by `unsubscribing`
    disconnect   [reason_code, properties]
    vanish       ends the TCP connection without DISCONNECT; with "hard": true, by a reset

A payload is {"text": "..."}, {"base64": "..."} or {"size": n, "seed": s} for n bytes that look random.
Properties have paho's names: {"ResponseTopic": "r", "UserProperty": [["a", "b"]], "CorrelationData": <base64>}.

Events: connected {code, reason, session_present, properties}, connect_failed {reason}, disconnected {code, reason,
from_server, properties}, published {id, code}, subscribed {id, codes}, unsubscribed {id, codes},
message {topic, qos, retain, duplicate, properties, size, sha256, and text if it is short UTF-8}.
Codes are MQTT 5 reason codes; paho translates those of 3.x (CONNACK 3 is 136, 4 is 134, 5 is 135).
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import socket
import struct
import sys
import threading
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

VERSIONS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5.0": mqtt.MQTTv5}
#: Bytes of the longest payload that an event repeats as text.
LONGEST_TEXT = 4096

_output = threading.Lock()


def emit(event: str, **fields: Any) -> None:
    line = json.dumps({"event": event, **fields}) + "\n"
    with _output:
        sys.stdout.write(line)
        sys.stdout.flush()


def payload_bytes(payload: dict[str, Any] | None) -> bytes:
    if payload is None:
        return b""
    if "text" in payload:
        return payload["text"].encode()
    if "base64" in payload:
        return base64.b64decode(payload["base64"])
    return random.Random(payload.get("seed", 0)).randbytes(payload["size"])


def properties_of(packet_type: int, values: dict[str, Any] | None) -> Properties | None:
    if not values:
        return None
    properties = Properties(packet_type)
    for name, value in values.items():
        match name:
            case "UserProperty":
                properties.UserProperty = [tuple(pair) for pair in value]
            case "CorrelationData" | "AuthenticationData":
                setattr(properties, name, base64.b64decode(value))
            case "SubscriptionIdentifier" if isinstance(value, list):
                for one in value:
                    properties.SubscriptionIdentifier = one
            case _:
                setattr(properties, name, value)
    return properties


def properties_json(properties: Properties | None) -> dict[str, Any]:
    if properties is None:
        return {}
    found: dict[str, Any] = {}
    for name in properties.names:
        compact = name.replace(" ", "")
        if not hasattr(properties, compact):
            continue
        value = getattr(properties, compact)
        found[compact] = base64.b64encode(value).decode() if isinstance(value, bytes) else value
    return found


class Device:
    """One paho client."""

    def __init__(self, name: str, command: dict[str, Any]) -> None:
        self.name = name
        version = VERSIONS[command.get("version", "3.1.1")]
        self._is_5 = version == mqtt.MQTTv5
        clean = command.get("clean", True)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=command.get("client_id", name),
            clean_session=None if self._is_5 else clean,
            protocol=version,
            reconnect_on_failure=False,
        )
        # Allows as many messages in flight as the peer does; the default is 20.
        self._client.max_inflight_messages_set(1000)
        if "username" in command:
            self._client.username_pw_set(command["username"], command.get("password"))
        if "will" in command:
            self._set_will(command["will"])
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        self._client.on_unsubscribe = self._on_unsubscribe
        self._connect(command, clean)

    def emit(self, event: str, **fields: Any) -> None:
        emit(event, client=self.name, **fields)

    def _set_will(self, will: dict[str, Any]) -> None:
        self._client.will_set(
            will["topic"],
            payload_bytes(will.get("payload")),
            will.get("qos", 0),
            will.get("retain", False),
            properties_of(PacketTypes.WILLMESSAGE, will.get("properties")) if self._is_5 else None,
        )

    def _connect(self, command: dict[str, Any], clean: bool) -> None:
        named: dict[str, Any] = {}
        if self._is_5:
            named["clean_start"] = clean
            named["properties"] = properties_of(PacketTypes.CONNECT, command.get("properties"))
        try:
            self._client.connect(
                command.get("host", "127.0.0.1"), command["port"], command.get("keep_alive", 60), **named
            )
        except OSError as error:
            self.emit("connect_failed", reason=str(error))
            return
        self._client.loop_start()

    # Commands

    def publish(self, command: dict[str, Any]) -> None:
        payload = payload_bytes(command.get("payload"))
        properties = properties_of(PacketTypes.PUBLISH, command.get("properties")) if self._is_5 else None
        info = self._client.publish(
            command["topic"], payload, command.get("qos", 0), command.get("retain", False), properties
        )
        self.emit(
            "publishing",
            id=info.mid,
            error=None if info.rc == mqtt.MQTT_ERR_SUCCESS else mqtt.error_string(info.rc),
            sha256=hashlib.sha256(payload).hexdigest(),
        )

    def subscribe(self, command: dict[str, Any]) -> None:
        filters: list[Any] = []
        for name, options in command["filters"]:
            if not self._is_5:
                filters.append((name, options if isinstance(options, int) else options["qos"]))
                continue
            given = {"qos": options} if isinstance(options, int) else options
            filters.append(
                (
                    name,
                    SubscribeOptions(
                        qos=given.get("qos", 0),
                        noLocal=given.get("no_local", False),
                        retainAsPublished=given.get("retain_as_published", False),
                        retainHandling=given.get("retain_handling", 0),
                    ),
                )
            )
        properties = properties_of(PacketTypes.SUBSCRIBE, command.get("properties")) if self._is_5 else None
        error, identifier = self._client.subscribe(filters, properties=properties)
        self.emit("subscribing", id=identifier, error=mqtt.error_string(error) if error else None)

    def unsubscribe(self, command: dict[str, Any]) -> None:
        error, identifier = self._client.unsubscribe(command["filters"])
        self.emit("unsubscribing", id=identifier, error=mqtt.error_string(error) if error else None)

    def disconnect(self, command: dict[str, Any]) -> None:
        if not self._is_5:
            self._client.disconnect()
            return
        code = ReasonCode(PacketTypes.DISCONNECT, identifier=command.get("reason_code", 0))
        self._client.disconnect(code, properties_of(PacketTypes.DISCONNECT, command.get("properties")))

    def vanish(self, command: dict[str, Any]) -> None:
        connection = self._client.socket()
        if connection is None:
            return
        if command.get("hard", False):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        else:
            connection.shutdown(socket.SHUT_RDWR)

    # Callbacks of paho, on the thread of its network loop

    def _on_connect(self, _client: Any, _data: Any, flags: Any, code: ReasonCode, properties: Any) -> None:
        self.emit(
            "connected",
            code=code.value,
            reason=str(code),
            session_present=bool(flags.session_present),
            properties=properties_json(properties),
        )

    def _on_disconnect(self, _client: Any, _data: Any, flags: Any, code: ReasonCode, properties: Any) -> None:
        self.emit(
            "disconnected",
            code=code.value,
            reason=str(code),
            from_server=bool(flags.is_disconnect_packet_from_server),
            properties=properties_json(properties),
        )

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        fields: dict[str, Any] = {}
        if len(message.payload) <= LONGEST_TEXT:
            try:
                fields["text"] = message.payload.decode()
            except UnicodeDecodeError:
                pass
        self.emit(
            "message",
            topic=message.topic,
            qos=message.qos,
            retain=bool(message.retain),
            duplicate=bool(message.dup),
            properties=properties_json(getattr(message, "properties", None)),
            size=len(message.payload),
            sha256=hashlib.sha256(message.payload).hexdigest(),
            **fields,
        )

    def _on_publish(self, _client: Any, _data: Any, identifier: int, code: ReasonCode, _properties: Any) -> None:
        self.emit("published", id=identifier, code=code.value)

    def _on_subscribe(self, _client: Any, _data: Any, identifier: int, codes: list[ReasonCode], _properties: Any) -> None:
        self.emit("subscribed", id=identifier, codes=[code.value for code in codes])

    def _on_unsubscribe(
        self, _client: Any, _data: Any, identifier: int, codes: list[ReasonCode], _properties: Any
    ) -> None:
        self.emit("unsubscribed", id=identifier, codes=[code.value for code in codes])


def main() -> None:
    devices: dict[str, Device] = {}
    for line in sys.stdin:
        if not line.strip():
            continue
        command = json.loads(line)
        name = command["client"]
        try:
            match command["command"]:
                case "connect":
                    devices[name] = Device(name, command)
                case "publish":
                    devices[name].publish(command)
                case "subscribe":
                    devices[name].subscribe(command)
                case "unsubscribe":
                    devices[name].unsubscribe(command)
                case "disconnect":
                    devices[name].disconnect(command)
                case "vanish":
                    devices[name].vanish(command)
                case other:
                    raise ValueError(f"unknown command {other!r}")
        except Exception as error:  # the test that runs this program shows it
            emit("error", client=name, message=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
