#!/usr/bin/env python3
"""Runs a program within the limits that a systemd unit sets on system calls.

    sandboxed.py [--unit FILE] [PROGRAM] ARGUMENT...

Without PROGRAM, which is an absolute path, it is the bridge that `swift build` has made. So the integration tests run
under the limits of the unit with

    BRIDGE_BINARY=$PWD/Tests/Support/sandboxed.py swift test --filter IntegrationTests

It applies NoNewPrivileges, CapabilityBoundingSet (the empty one), SystemCallFilter, RestrictAddressFamilies and
MemoryDenyWriteExecute as systemd does, by a filter of the kernel (seccomp). Calls that are not allowed fail with EPERM.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_CAPBSET_DROP, SECCOMP_MODE_FILTER = 38, 22, 24, 2
LAST_CAPABILITY = 40
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1
LOAD, EQUALS, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
#: Offsets in what the kernel gives the filter: the call's number, and the lower halves of its arguments.
NUMBER, ARGUMENTS = 0, 16
PROT_WRITE, PROT_EXEC = 2, 4
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}

Instruction = tuple[int, int, int, int]


def settings(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def groups() -> dict[str, list[str]]:
    """systemd's groups of calls, which may contain groups."""
    result: dict[str, list[str]] = {}
    name = ""
    for line in subprocess.run(
        ["systemd-analyze", "syscall-filter"], check=True, capture_output=True, text=True
    ).stdout.splitlines():
        if line.startswith("@"):
            name = line.strip()
            result[name] = []
        elif name and re.fullmatch(r"\s+@?\w[\w-]*", line):
            result[name].append(line.strip())
    return result


def expand(names: list[str], known: dict[str, list[str]]) -> set[str]:
    calls: set[str] = set()
    for name in names:
        calls |= expand(known[name], known) if name.startswith("@") else {name}
    return calls


def allowed(lines: list[str]) -> set[str]:
    known = groups()
    calls = expand(["@default"], known)
    for line in lines:
        names = expand(line.removeprefix("~").split(), known)
        calls = calls - names if line.startswith("~") else calls | names
    return calls


def numbers() -> dict[str, int]:
    compiler = shutil.which("cc") or "clang"
    text = subprocess.run(
        [compiler, "-E", "-dM", "-"], input="#include <sys/syscall.h>\n", check=True, capture_output=True, text=True
    ).stdout
    defined = dict(re.findall(r"#define (__NR\w*_\w+) (\w+)", text))
    # On some architectures a number is defined by another name.
    values = {name: defined.get(value, value) for name, value in defined.items()}
    return {name[5:]: int(value) for name, value in values.items() if name.startswith("__NR_") and value.isdigit()}


def argument(index: int) -> Instruction:
    return (LOAD, 0, 0, ARGUMENTS + 8 * index)


def program(calls: set[str], families: list[int], denies_code: bool) -> list[Instruction]:
    known = numbers()
    result: list[Instruction] = [(LOAD, 0, 0, NUMBER)]

    def rule(name: str, body: list[Instruction]) -> None:
        """`body` ends with a decision on the call of that name."""
        result.extend([(EQUALS, 0, len(body), known[name]), *body])

    decisions = [(EQUALS, 0, 1, family) for family in families]
    rule("socket", [argument(0), *[part for each in decisions for part in (each, (RETURN, 0, 0, ALLOW))],
                    (RETURN, 0, 0, REFUSE)])
    if denies_code:
        # New code may be mapped from a file, but memory that was writable never becomes code.
        rule("mprotect", [argument(2), (ANY_BIT, 0, 1, PROT_EXEC), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)])
        rule("mmap", [argument(2), (ANY_BIT, 0, 2, PROT_EXEC), (ANY_BIT, 0, 1, PROT_WRITE), (RETURN, 0, 0, REFUSE),
                      (RETURN, 0, 0, ALLOW)])
    for name in sorted(calls):
        # The list has the calls of every architecture.
        if name in known:
            rule(name, [(RETURN, 0, 0, ALLOW)])
    return [*result, (RETURN, 0, 0, REFUSE)]


def confine(instructions: list[Instruction], drops_capabilities: bool) -> None:
    kernel = ctypes.CDLL(None, use_errno=True)

    def control(option: int, *values: object) -> None:
        if kernel.prctl(option, *values) != 0:
            sys.exit(f"sandboxed.py: prctl {option}: {os.strerror(ctypes.get_errno())}")

    if drops_capabilities and os.geteuid() == 0:
        for capability in range(LAST_CAPABILITY + 1):
            # In a container this may be forbidden, and there is little to drop.
            kernel.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    control(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in instructions))
    # struct sock_fprog: a count, and a pointer.
    head = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(code)))
    control(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, head, 0, 0)


def main() -> None:
    arguments = sys.argv[1:]
    unit = ROOT / "deploy/mqtt-quic-bridge.service"
    if arguments[:1] == ["--unit"]:
        unit, arguments = Path(arguments[1]), arguments[2:]
    if not arguments or not arguments[0].startswith("/"):
        arguments.insert(0, str(ROOT / ".build/debug/mqtt-quic-bridge"))
    found = settings(unit)
    families = [FAMILIES[name] for name in found["RestrictAddressFamilies"][0].split()]
    instructions = program(
        allowed(found["SystemCallFilter"]), families, found.get("MemoryDenyWriteExecute") == ["yes"])
    confine(instructions, found.get("CapabilityBoundingSet") == [""])
    os.execv(arguments[0], arguments)


main()
