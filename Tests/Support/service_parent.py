#!/usr/bin/env python3
"""Starts a program as systemd would: with listening sockets that outlive it, a socket for its messages, and a terminal.

Commands are lines on standard input, and events are JSON lines on standard output; the program's standard error is this
one's, unless it has a terminal.

Options:
    --listen HOST:PORT  a listening TCP socket that is passed to the program; the port may be 0. May be repeated
    --bound HOST:PORT   the same, but nobody listens on it
    --udp HOST:PORT     a UDP socket that is passed
    --names TEXT        LISTEN_FDNAMES
    --abstract          NOTIFY_SOCKET is an abstract address
    --watchdog USEC     WATCHDOG_USEC
    --terminal          the program's standard error is a terminal

Commands:
    start ARGUMENT...   starts the program
    restart [SIGNAL [SECONDS]]
                        ends the program by this signal (SIGTERM), and starts it again so long after it has ended
    signal NUMBER       sends the program a signal

Events: sockets {ports}, started {pid}, notice {text, pid}, terminal {text}, ended {code}, with a signal as a negative code.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import pty
import select
import shlex
import signal
import socket
import struct
import sys
import tempfile
import time
from typing import Any

PR_SET_PDEATHSIG = 1
FIRST_DESCRIPTOR = 3


def emit(event: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def bound(address: str, kind: int) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    passed = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:
        passed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    passed.bind((host, int(port)))
    return passed


class Parent:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        listening = [bound(address, socket.SOCK_STREAM) for address in options.listen]
        for each in listening:
            each.listen(1_024)
        self.sockets = [
            *listening,
            *[bound(address, socket.SOCK_STREAM) for address in options.bound],
            *[bound(address, socket.SOCK_DGRAM) for address in options.udp],
        ]
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        if options.abstract:
            self.notify = f"@mqtt-quic-bridge-test-{os.getpid()}"
            self.notices.bind("\0" + self.notify[1:])
        else:
            self.notify = os.path.join(tempfile.mkdtemp(), "notify")
            self.notices.bind(self.notify)
        self.terminal: int | None = None
        self.pid = 0
        self.command: list[str] = []
        #: In seconds: what RestartSec= is for systemd. None if the program must not be started again when it ends.
        self.restart_after: float | None = None
        self.start_at: float | None = None

    def start(self) -> None:
        terminal = pty.openpty() if self.options.terminal else None
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self.become_program(parent, terminal[1] if terminal else None)
        self.pid = pid
        if terminal:
            os.close(terminal[1])
            self.terminal = terminal[0]
        emit("started", pid=pid)

    def become_program(self, parent: int, terminal: int | None) -> None:
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            # Standard output is for events.
            os.dup2(2 if terminal is None else terminal, 1)
            if terminal is not None:
                os.dup2(terminal, 2)
            # The sockets may be in each other's places.
            copies = [os.dup(each.fileno()) for each in self.sockets]
            high = [os.dup2(copy, 500 + index) for index, copy in enumerate(copies)]
            for index, copy in enumerate(high):
                os.dup2(copy, FIRST_DESCRIPTOR + index, inheritable=True)
            os.closerange(FIRST_DESCRIPTOR + len(high), 600)
            # As in the units.
            environment = dict(os.environ, NOTIFY_SOCKET=self.notify, SWIFT_BACKTRACE="enable=no")
            if self.sockets:
                environment |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(self.sockets))}
            if self.options.names:
                environment["LISTEN_FDNAMES"] = self.options.names
            if self.options.watchdog:
                environment |= {"WATCHDOG_USEC": self.options.watchdog, "WATCHDOG_PID": str(os.getpid())}
            os.execvpe(self.command[0], self.command, environment)
        except BaseException as error:
            os.write(2, f"service_parent.py: {error}\n".encode())
            os._exit(1)

    def reap(self) -> None:
        pid, status = os.waitpid(self.pid, os.WNOHANG) if self.pid else (0, 0)
        if pid == 0:
            return
        self.pid = 0
        emit("ended", code=os.waitstatus_to_exitcode(status))
        if self.restart_after is not None:
            self.start_at = time.monotonic() + self.restart_after
            self.restart_after = None

    def perform(self, line: str) -> None:
        name, *arguments = shlex.split(line)
        if name == "start":
            self.command = arguments
            self.start()
        elif name == "restart":
            self.restart_after = float(arguments[1]) if len(arguments) > 1 else 0.0
            os.kill(self.pid, int(arguments[0]) if arguments else signal.SIGTERM)
        elif name == "signal" and self.pid:
            os.kill(self.pid, int(arguments[0]))

    def notice(self) -> None:
        data, ancillary, _, _ = self.notices.recvmsg(4_096, 128)
        pid = struct.unpack("iii", ancillary[0][2][:12])[0] if ancillary else 0
        emit("notice", text=data.decode(), pid=pid)

    def run(self) -> None:
        emit("sockets", ports=[each.getsockname()[1] for each in self.sockets])
        while True:
            sources: list[Any] = [sys.stdin, self.notices]
            if self.terminal is not None:
                sources.append(self.terminal)
            ready, _, _ = select.select(sources, [], [], 0.005)
            if self.notices in ready:
                self.notice()
            if self.terminal is not None and self.terminal in ready:
                self.read_terminal(self.terminal)
            if sys.stdin in ready:
                line = sys.stdin.readline()
                if not line:
                    return
                self.perform(line)
            self.reap()
            if self.start_at is not None and time.monotonic() >= self.start_at:
                self.start_at = None
                self.start()

    def read_terminal(self, terminal: int) -> None:
        try:
            data = os.read(terminal, 65_536)
        except OSError:
            data = b""
        if data:
            emit("terminal", text=data.decode(errors="replace"))
        else:
            os.close(terminal)
            self.terminal = None


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("listen", "bound", "udp"):
        parser.add_argument(f"--{name}", action="append", default=[])
    for name in ("names", "watchdog"):
        parser.add_argument(f"--{name}")
    for name in ("abstract", "terminal"):
        parser.add_argument(f"--{name}", action="store_true")
    Parent(parser.parse_args()).run()


main()
