"""Makes the measurements of Benchmarks/survival, between the network namespaces that it has made. README.md lists them.

Everything at the edge (bridges, HAProxy) reaches everything in the cloud (brokers, QUIC servers) over a link of 50 ms
round-trip time and through a NAT. Paths take turns within a round, so that other load on the machine affects them all.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shlex
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
CLOUD = "10.77.2.1"
#: TCP ports in the cloud. The receiver is a second broker that gets every message from the first and survives its end.
BROKER, BROKER_TLS, RECEIVER = 1883, 8883, 1893
#: UDP ports in the cloud: the EMQX-like front without tickets and with them, and `serve`.
FRONT_BARE, FRONT, SERVE = 14560, 14567, 14570
HAPROXY = 1885
DELAY = "delay=25"


@dataclass(frozen=True)
class Bridge:
    """A bridge at the edge, and what its uplink section contains besides the server's address."""

    port: int
    server: int
    uplink: str = ""


#: The first four are only for `connect`.
BRIDGES = {
    "cold": Bridge(1890, FRONT_BARE, "mapping: connection, warm: 0"),
    "resumed": Bridge(1891, FRONT, "mapping: connection, warm: 0"),
    "0-rtt": Bridge(1892, FRONT, "mapping: connection, warm: 0, zero_rtt: connect"),
    "warm": Bridge(1893, FRONT, "mapping: connection, warm: 4"),
    "emqx-like": Bridge(1894, FRONT, "mapping: connection"),
    "serve": Bridge(1895, SERVE, "mapping: connection"),
    "serve-mux": Bridge(1896, SERVE, "mapping: mux"),
}
PORTS = {"haproxy": HAPROXY} | {name: bridge.port for name, bridge in BRIDGES.items()}
SURVIVORS = ["haproxy", "emqx-like", "serve", "serve-mux"]


class DidNotStart(Exception):
    pass


class Program:
    """A process in one of the namespaces, which can be killed and started again."""

    def __init__(self, name: str, namespace: str, command: list[Any], work: Path, ready: str | None) -> None:
        self.name = name
        self._command = ["ip", "netns", "exec", namespace, *map(str, command)]
        self._log = work / f"{name}.log"
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        for _ in range(100):
            if self._process.poll() is not None:
                break
            if self._ready is None or self._ready.encode() in self._log.read_bytes():
                return
            time.sleep(0.1)
        log = self._log.read_text(errors="replace")
        raise DidNotStart(f"{self.name} did not start: {shlex.join(self._command)}\n{log}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Stage:
    """All programs of a run."""

    work: Path
    edge: str
    cloud: str
    #: Whether the broker keeps its sessions on disk and passes all messages to the second one.
    persistent: bool
    programs: dict[str, Program] = field(default_factory=dict)

    def start(self, bridges: Iterable[str]) -> None:
        if self.persistent:
            self._add("receiver", self.cloud, ["mosquitto", "-c", self._receiver()], "running")
        self._add("broker", self.cloud, ["mosquitto", "-c", self._broker()], "running")
        self._add("haproxy", self.edge, ["haproxy", "-db", "-f", self._haproxy()], None)
        bridge = os.environ["BRIDGE_BINARY"]
        servers = {BRIDGES[name].server for name in bridges}
        for name, port, mode in ("front-bare", FRONT_BARE, "off"), ("front", FRONT, "early-data"):
            if port in servers:
                self._add(name, self.cloud, self._front(port, mode), "listening")
        if SERVE in servers:
            self._add("serve-host", self.cloud, [bridge, "serve", "--config", self._serve()], "listening")
        for name in bridges:
            self._add(name, self.edge, [bridge, "run", "--config", self._bridge(name)], "listening")
        # Time for warm connections, and for the bridge between the brokers.
        time.sleep(3)

    def stop(self) -> None:
        for program in reversed(self.programs.values()):
            program.stop()

    def kill_brokers(self, seconds: float) -> None:
        """Kills front and broker, which are one process at EMQX; `serve` and the sidecars stay."""
        names = [name for name in ("front-bare", "front", "broker") if name in self.programs]
        for name in names:
            self.programs[name].stop(signal.SIGKILL)
        time.sleep(seconds)
        for name in reversed(names):
            self.programs[name].start()

    def _add(self, name: str, namespace: str, command: list[Any], ready: str | None) -> None:
        program = Program(name, namespace, command, self.work, ready)
        self.programs[name] = program
        program.start()

    def _write(self, name: str, text: str) -> Path:
        path = self.work / name
        path.write_text(text)
        return path

    def _front(self, port: int, tickets: str) -> list[Any]:
        return [
            HERE / ".build-venv/bin/python", "-u", HERE / "Tests/Support/quic_front.py",
            "--listen", f"{CLOUD}:{port}", "--broker", f"{CLOUD}:{BROKER}",
            "--certificate", self.work / "server.pem", "--private-key", self.work / "server.key",
            # As EMQX 6.0.3, the front follows three changes of an address.
            "--no-packets", "--tickets", tickets, "--follow-rebinds", 3,
        ]  # fmt: skip

    def _broker(self) -> Path:
        text = f"""\
user root
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 0
listener {BROKER}
listener {BROKER_TLS}
certfile {self.work}/server.pem
keyfile {self.work}/server.key
"""
        if self.persistent:
            text += f"""\
persistence true
persistence_location {self.work}/
autosave_interval 1
autosave_on_changes true
connection receiver
address {CLOUD}:{RECEIVER}
topic # out 1
cleansession false
notifications false
try_private false
restart_timeout 1
"""
        return self._write("broker.conf", text)

    def _receiver(self) -> Path:
        text = f"""\
user root
allow_anonymous true
max_queued_messages 0
max_inflight_messages 0
listener {RECEIVER}
"""
        return self._write("receiver.conf", text)

    def _haproxy(self) -> Path:
        text = f"""\
global
    maxconn 9500
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
frontend mqtt
    bind 127.0.0.1:{HAPROXY}
    default_backend broker
backend broker
    server broker {CLOUD}:{BROKER_TLS} ssl verify required ca-file {self.work}/ca.pem sni str(localhost) verifyhost localhost
"""
        return self._write("haproxy.cfg", text)

    def _serve(self) -> Path:
        text = f"""\
serve:
  listen: ["{CLOUD}:{SERVE}"]
  certificate: {self.work}/server.pem
  key: {self.work}/server.key
  broker_host: {CLOUD}
  broker_port: {BROKER}
"""
        return self._write("serve.yaml", text)

    def _bridge(self, name: str) -> Path:
        bridge = BRIDGES[name]
        server = f"host: {CLOUD}, port: {bridge.server}, server_name: localhost, ca: {self.work}/ca.pem"
        text = f"""\
listen: ["127.0.0.1:{bridge.port}"]
uplink: {{{server}, {bridge.uplink}}}
limits: {{accept_rate: 100000}}
"""
        return self._write(f"{name}.yaml", text)


@dataclass
class Bench:
    work: Path
    prefix: str
    rounds: int
    #: Devices for `latency`, and for the other sets that publish.
    devices: int
    held: int
    stage: Stage | None = None

    def link(self, *settings: str) -> None:
        subprocess.run(self.link_command(*settings), check=True, stdout=subprocess.DEVNULL)

    def link_command(self, *settings: str) -> list[str]:
        return [str(self.work / "linkem"), "-c", f"/run/linkem-{self.prefix}/ctl", *settings]

    def load(self, path: str, *options: Any, receiver: int = BROKER) -> dict[str, Any]:
        command = [
            self.work / "mqload", "-j", "-s", path, "-H", f"127.0.0.1:{PORTS[path]}", "-E", f"{self.prefix}edge",
            "-B", f"{self.prefix}cloud", "-S", f"{CLOUD}:{receiver}", "-x", path, *options,
        ]  # fmt: skip
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"mqload failed: {shlex.join(map(str, command))}\n{done.stderr}")
        time.sleep(1)
        return json.loads(done.stdout)

    def on(self, bridges: Iterable[str], persistent: bool = False) -> None:
        """Starts all programs afresh, so that one set does not affect the next."""
        self.off()
        self.link(DELAY, "loss=0", "up")
        self.stage = Stage(self.work, f"{self.prefix}edge", f"{self.prefix}cloud", persistent)
        self.stage.start(bridges)

    def off(self) -> None:
        if self.stage is not None:
            self.stage.stop()
        self.stage = None


# Figures: the name of each, and how it is read from the output of mqload.
Figure = tuple[str, Callable[[dict[str, Any]], float]]


def of(*keys: str, scale: float = 1) -> Callable[[dict[str, Any]], float]:
    """Returns NaN for an empty series."""

    def read(out: dict[str, Any]) -> float:
        value: Any = out
        for key in keys:
            if value.get("n") == 0:
                return math.nan
            value = value[key]
        return float(value) * scale

    return read


def median(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan


def shown(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"


CONNECT: list[Figure] = [("connect p50, ms", of("connack", "p50")), ("p95", of("connack", "p95"))]
LATENCY: list[Figure] = [
    ("end to end p50, ms", of("end_to_end", "p50")),
    ("p99", of("end_to_end", "p99")),
    ("max", of("end_to_end", "max")),
    ("lost", of("lost")),
]
WHAT_DEVICES_NOTICE: list[Figure] = [
    ("lost", of("lost")),
    ("duplicates", of("duplicates")),
    ("reconnects", of("reconnects")),
]
#: A device publishes once per second, which alone is half a second of the median.
RETURN: list[Figure] = [
    ("flowing after p50, s", of("recovery", "p50", scale=0.001)),
    ("max", of("recovery", "max", scale=0.001)),
    ("never", of("never_recovered")),
    *WHAT_DEVICES_NOTICE,
]
GAP: list[Figure] = [
    ("longest gap, s", of("longest_gap_ms", scale=0.001)),
    ("end to end max, s", of("end_to_end", "max", scale=0.001)),
    *WHAT_DEVICES_NOTICE,
]


def table(bench: Bench, title: str, paths: list[str], figures: list[Figure], run: Callable[[str], dict]) -> None:
    """Prints medians over the rounds. The ratio is that of the first figure; below 1 is less than HAProxy's."""
    runs: dict[str, list[dict[str, Any]]] = {path: [] for path in paths}
    for _ in range(bench.rounds):
        for path in paths:
            runs[path].append(run(path))
    medians = {path: [median(read(out) for out in outs) for _, read in figures] for path, outs in runs.items()}
    print(f"\n{title}")
    heads = [name for name, _ in figures] + ["to HAProxy"]
    print(f"{'':<12}" + "".join(f"  {head:>{max(8, len(head))}}" for head in heads))
    for path, values in medians.items():
        base = medians["haproxy"][0]
        cells = [shown(value) for value in values] + [shown(values[0] / base) if base else "-"]
        line = "".join(f"  {cell:>{max(8, len(head))}}" for cell, head in zip(cells, heads, strict=True))
        print(f"{path:<12}{line}", flush=True)


def connect(bench: Bench) -> None:
    paths = ["haproxy", "cold", "resumed", "0-rtt", "warm"]
    bench.on(paths[1:])
    for path in paths:  # The first connection brings the tickets.
        bench.load(path, "-n", 2, "-t", 1, "-d", 1, "-c", 2)
    title = "CONNECT to CONNACK at 50 ms: 20 devices, 5 per second"
    table(bench, title, paths, CONNECT, lambda path: bench.load(path, "-n", 20, "-c", 5, "-r", 1, "-t", 3, "-d", 1))


def latency(bench: Bench) -> None:
    paths = ["haproxy", "serve", "serve-mux"]
    bench.on(paths[1:])
    for loss in 0, 1, 5:
        title = f"End to end at 50 ms and {loss} % loss each way: {bench.devices} devices, 1 message/s each, QoS 1"

        def run(path: str, loss: int = loss) -> dict[str, Any]:
            bench.link(DELAY, f"loss={loss}")
            return bench.load(path, "-n", bench.devices, "-c", 100, "-r", 1, "-t", 15, "-d", 5)

        table(bench, title, paths, LATENCY, run)
    bench.link("loss=0")


def outage(bench: Bench) -> None:
    bench.on(SURVIVORS[1:])
    for seconds in 10, 30:
        event = f"10:{shlex.join(bench.link_command(f'down={seconds}'))}"
        options = ["-n", bench.held, "-t", seconds + 30, "-d", 10, "-m", 10 + seconds, "-e", event]
        title = f"Link down for {seconds} s: {bench.held} devices, 1 message/s each, QoS 1"
        table(bench, title, SURVIVORS, RETURN, lambda path, options=options: bench.load(path, *options))


def rebind(bench: Bench) -> None:
    for count in 1, 5:
        bench.on(SURVIVORS[1:])
        command = shlex.join(bench.link_command("rebind"))
        events = [part for index in range(count) for part in ("-e", f"{10 + 4 * index}:{command}")]
        options = ["-n", bench.held, "-k", 10, "-t", 40 + 4 * count, "-d", 10, *events]
        title = f"NAT forgets everything, {count} x, 4 s apart: {bench.held} devices, 1 message/s each, keepalive 10 s"
        table(bench, title, SURVIVORS, GAP, lambda path, options=options: bench.load(path, *options))


def broker(bench: Bench) -> None:
    bench.on(SURVIVORS[1:], persistent=True)
    flag = bench.work / "kill"

    def run(path: str) -> dict[str, Any]:
        flag.unlink(missing_ok=True)
        killer = threading.Thread(target=kill_when_told)
        killer.start()
        # Half a second for the broker to start.
        options = ["-n", bench.held, "-t", 40, "-d", 10, "-m", 15.5, "-p", "-e", f"10:touch {flag}"]
        out = bench.load(path, *options, receiver=RECEIVER)
        killer.join()
        return out

    def kill_when_told() -> None:
        for _ in range(600):
            if flag.exists() and bench.stage is not None:
                bench.stage.kill_brokers(5)
                return
            time.sleep(0.05)

    title = f"Broker killed, back after 5 s: {bench.held} devices, 1 message/s each, QoS 1, persistent sessions"
    table(bench, title, SURVIVORS, RETURN, run)


SETS = {"connect": connect, "latency": latency, "outage": outage, "rebind": rebind, "broker": broker}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; default: all")
    arguments = parser.parse_args()
    unknown = set(arguments.sets) - set(SETS)
    if unknown:
        parser.error(f"no set {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    bench = Bench(
        arguments.work, arguments.prefix, rounds=int(os.environ.get("ROUNDS", "1")),
        devices=int(os.environ.get("DEVICES", "200")), held=int(os.environ.get("HELD", "100")),
    )  # fmt: skip
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # A signal also ends the programs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        for name in arguments.sets or SETS:
            SETS[name](bench)
    except DidNotStart as error:
        sys.exit(str(error))
    finally:
        bench.off()


if __name__ == "__main__":
    main()
