#!/usr/bin/env python3
"""Counts what `run` and `serve` ask of the system for a message that they carry one at a time.

    program_counts.py BINARY OUTPUT

It starts Mosquitto, `serve` and the bridge on the loopback interface, and devices that publish with QoS 1 in turns: the
next message goes out a twentieth of a second after the acknowledgement of the last. So no message shares a read, a
packet or a tick of the event loop with another one, and the counts are nearly the same on a slow and on a busy machine. Of
several runs the lowest counts are taken, because another program can only add to them; runs are repeated until the
last few of them have lowered none of them clearly.

Counts go to OUTPUT as a JSON object, for each mapping and program:

    program.MAPPING.PROGRAM.CALL           system calls per message, by strace; `system-calls` are all together
    program.MAPPING.PROGRAM.timer-firings  what the statistics of the program say
    program.MAPPING.datagrams              UDP datagrams of both, by /proc/net/snmp

What cannot be counted here is left out, and said on standard output in lines `left out: BEGINNING-OR-END why`.
Datagrams are counted in a network namespace of its own, in which the caller starts this (COUNTS_NAMESPACE=1 says so).
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Tests" / "Support"))

from mqtt_build import connect, publish  # noqa: E402

MAPPINGS = ("mux", "connection")
DEVICES = 10
MESSAGES = 60
#: So many runs in a row must have lowered no count to less than that part of it; and the most runs.
RUNS_ALIKE = 2
CLEARLY = 0.97
RUNS_AT_MOST = 10
#: In seconds, between an acknowledgement and the next message. Delayed acknowledgements of QUIC (25 ms) have been sent
#: by then, so that each message brings its own.
PAUSE = 0.05
#: The longest wait for a process or an answer, in seconds.
PATIENCE = 60

#: Names in the output, and the system calls that they stand for.
CALLS = {
    "epoll-wait": re.compile(r"epoll_p?wait2?$"),
    "epoll-ctl": re.compile(r"epoll_ctl$"),
    "read": re.compile(r"p?readv?(64)?$"),
    "write": re.compile(r"p?writev?(64)?$"),
    "send": re.compile(r"send(to|msg|mmsg)$"),
    "receive": re.compile(r"recv(from|msg|mmsg)$"),
    "timerfd-settime": re.compile(r"timerfd_settime$"),
}


class Process:
    """A program with its log, which ends with this one."""

    def __init__(self, name: str, folder: Path, *command: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)

    @property
    def pid(self) -> int:
        return self._process.pid

    def lines(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()

    def until(self, pattern: str, skip: int = 0) -> re.Match[str]:
        """Waits for a line, after the first so many, that matches."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for line in self.lines()[skip:]:
                if match := re.search(pattern, line):
                    return match
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise SystemExit(f"error: {self.name} did not say '{pattern}'; its log:\n" + "\n".join(self.lines()[-20:]))

    def timer_firings(self) -> int:
        known = len(self.lines())
        self._process.send_signal(signal.SIGUSR2)
        return int(self.until(r"statistics.* timer_firings=(\d+)", known)[1])

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Trace:
    """strace, attached to all threads of a process until `counts` is called."""

    def __init__(self, process: Process, folder: Path) -> None:
        self._summary = folder / f"{process.name}.strace"
        self._strace = subprocess.Popen(
            ["strace", "-f", "-c", "-o", str(self._summary), "-p", str(process.pid)],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )
        assert self._strace.stderr is not None
        # strace writes one line about this, which may name several threads.
        said = self._strace.stderr.readline()
        if "attached" not in said:
            self._strace.wait()
            raise PermissionError(said.strip())

    def counts(self) -> dict[str, int]:
        """Detaches, and returns how often each system call was made."""
        self._strace.send_signal(signal.SIGINT)
        self._strace.communicate()
        counts = {}
        for line in self._summary.read_text().splitlines():
            # % time, seconds, usecs/call, calls, errors (may be missing), name
            fields = line.split()
            if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
                counts[fields[-1]] = counts.get(fields[-1], 0) + int(fields[3])
        return counts


class Device:
    """An MQTT client that publishes, and waits for each acknowledgement."""

    def __init__(self, name: str, port: int) -> None:
        self._name = name
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._exchange(connect(name, keep_alive=0), 4)

    def publish(self) -> None:
        self._exchange(publish(f"up/{self._name}", b"x" * 200, 1, 7), 4)

    def _exchange(self, packet: bytes, answer: int) -> None:
        self._socket.sendall(packet)
        received = b""
        while len(received) < answer:
            part = self._socket.recv(answer - len(received))
            if not part:
                raise SystemExit(f"error: the connection of {self._name} was closed")
            received += part

    def close(self) -> None:
        self._socket.close()


def datagrams() -> int:
    """How many UDP datagrams were sent in this network namespace."""
    lines = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Udp:")]
    return int(dict(zip(lines[0], lines[1]))["OutDatagrams"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_of(process: Process) -> int:
    return int(process.until(r"listening.* address=127\.0\.0\.1:(\d+)")[1])


def make_certificate(folder: Path) -> None:
    """A certificate that signed itself, and so is also the CA."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "server.key",
         "-out", "server.pem"], cwd=folder, check=True, capture_output=True)


def start_all(binary: str, mapping: str, folder: Path) -> list[Process]:
    """Mosquitto, `serve` and the bridge, on one event loop each."""
    broker_port = free_port()
    (folder / "mosquitto.conf").write_text(f"listener {broker_port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\n")
    (folder / "serve.yaml").write_text(
        'serve:\n  listen: ["127.0.0.1:0"]\n  certificate: server.pem\n  key: server.key\n'
        f"  broker_host: 127.0.0.1\n  broker_port: {broker_port}\nthreads: 1\n")
    processes = [Process("mosquitto", folder, "mosquitto", "-c", "mosquitto.conf")]
    try:
        processes[0].until(r"mosquitto version .* running")
        processes.append(Process("serve", folder, binary, "serve", "--config", "serve.yaml"))
        (folder / "bridge.yaml").write_text(
            f'listen: ["127.0.0.1:0"]\nuplink:\n  host: localhost\n  port: {port_of(processes[1])}\n  ca: server.pem\n'
            f"  mapping: {mapping}\nthreads: 1\n")
        processes.append(Process("run", folder, binary, "run", "--config", "bridge.yaml"))
        port_of(processes[2])
    except BaseException:
        stop_all(processes)
        raise
    return processes


def stop_all(processes: list[Process]) -> None:
    for process in reversed(processes):
        process.stop()


def send(devices: list[Device], count: int) -> None:
    for number in range(count):
        devices[number % len(devices)].publish()
        time.sleep(PAUSE)


def per_message(counts: dict[str, int]) -> dict[str, float]:
    named = {name: sum(n for call, n in counts.items() if calls.match(call)) for name, calls in CALLS.items()}
    named["system-calls"] = sum(counts.values())
    return {name: count / MESSAGES for name, count in named.items()}


def measure(
    programs: list[Process], devices: list[Device], prefix: str, folder: Path, traced: bool
) -> dict[str, float]:
    """Two rounds of messages: one that is only watched, and one under strace, which takes its time."""
    firings = [program.timer_firings() for program in programs]
    sent = datagrams()
    send(devices, MESSAGES)
    result = {f"{prefix}.datagrams": (datagrams() - sent) / MESSAGES}
    for program, before in zip(programs, firings):
        result[f"{prefix}.{program.name}.timer-firings"] = (program.timer_firings() - before) / MESSAGES
    if traced:
        traces = [(program.name, Trace(program, folder)) for program in programs]
        send(devices, MESSAGES)
        for name, trace in traces:
            for call, count in per_message(trace.counts()).items():
                result[f"{prefix}.{name}.{call}"] = count
    return result


def count_mapping(binary: str, mapping: str, traced: bool) -> dict[str, float]:
    lowest: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="program-counts-") as name:
        folder = Path(name)
        # If root starts it, Mosquitto switches to a user of its own.
        folder.chmod(0o755)
        make_certificate(folder)
        processes = start_all(binary, mapping, folder)
        try:
            devices = [Device(f"device-{index}", port_of(processes[2])) for index in range(DEVICES)]
            send(devices, MESSAGES)
            alike = 0
            for _ in range(RUNS_AT_MOST):
                counts = measure(processes[1:], devices, f"program.{mapping}", folder, traced)
                fell = any(value < CLEARLY * lowest.get(key, math.inf) for key, value in counts.items())
                alike = 0 if fell else alike + 1
                lowest |= {key: min(value, lowest.get(key, value)) for key, value in counts.items()}
                if alike == RUNS_ALIKE:
                    break
            for device in devices:
                device.close()
        finally:
            stop_all(processes)
    return lowest


def can_trace() -> str | None:
    """Why system calls cannot be counted; None if they can."""
    if shutil.which("strace") is None:
        return "there is no strace"
    trial = subprocess.run(["strace", "-c", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return f"strace may not trace: {trial.stderr.strip().splitlines()[0]}" if trial.returncode else None


def main() -> None:
    binary, output = sys.argv[1:]
    os.environ["PATH"] += ":/usr/sbin"
    for variable in [name for name in os.environ if name.startswith(("BRIDGE_", "MQTT_"))]:
        del os.environ[variable]
    # What is counted is the traffic alone, and another bridge may have the port.
    os.environ["BRIDGE_ADMIN_LISTEN"] = "off"
    why = can_trace()
    counts: dict[str, float] = {}
    for mapping in MAPPINGS:
        counts |= count_mapping(os.path.abspath(binary), mapping, why is None)
    if why is not None:
        for call in (*CALLS, "system-calls"):
            print(f"left out: .{call} {why}")
    if os.environ.get("COUNTS_NAMESPACE") != "1":
        counts = {name: value for name, value in counts.items() if not name.endswith(".datagrams")}
        for mapping in MAPPINGS:
            print(f"left out: program.{mapping}.datagrams there is no network namespace of its own to count them in")
    Path(output).write_text(json.dumps(counts, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
