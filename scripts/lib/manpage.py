#!/usr/bin/env python3
"""Makes the manual page of mqtt-quic-bridge from what the program says of its own command line.

    mqtt-quic-bridge --experimental-dump-help | manpage.py DATE VERSION

DATE is YYYY-MM-DD. The page goes to standard output. It is one page for all commands, in the language of man(7).
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

#: What the command line does not know of itself.
TAIL = r"""
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
.BR run " and " serve
end all sessions in order and then the program. A second signal ends it at once.
.TP
.B SIGHUP
The configuration and the files that it names are read again, and what has changed is applied.
.TP
.B SIGUSR1
The program is drained: nobody new is let in, and it ends when all have left.
.TP
.B SIGUSR2
A line of statistics is written to the log.
.SH EXIT STATUS
.TP
.B 0
The command did what it was asked to do.
.TP
.B 1
It did not; the description of the command says what that means.
.TP
.B 64
The command line is wrong.
.TP
.B 69
The broker could not be reached.
.TP
.B 78
The configuration, or a file that it names, is not usable. A restart does not change that.
.SH ENVIRONMENT
Every single value of the configuration can be overridden by a variable:
.B BRIDGE_
and the path of its key in capitals, such as
.BR BRIDGE_UPLINK_HOST .
The names in the environment file of a TESAIoT device, such as
.BR MQTT_HOST ,
are understood as well, and are weaker.
.SH FILES
.TP
.I /etc/mqtt\-quic\-bridge/bridge.yaml
What
.I mqtt\-quic\-bridge.service
reads. It does not start without this file.
.TP
.I /etc/mqtt\-quic\-bridge/serve.yaml
The same for
.IR mqtt\-quic\-bridge\-serve.service .
.TP
.I /etc/mqtt\-quic\-bridge/bridge.env\fR, \fI/etc/mqtt\-quic\-bridge/serve.env
Environment variables for the two services.
.TP
.I /var/lib/mqtt\-quic\-bridge
The place for session tickets.
.TP
.I /usr/share/doc/mqtt\-quic\-bridge
.IR README.Debian ,
which says how to begin; all keys
.RI ( configuration.md ),
operations, security, and examples.
.SH SEE ALSO
.BR systemctl (1),
.BR mosquitto_pub (1),
.BR mosquitto (8)
"""


def escaped(text: str) -> str:
    """The text with nothing in it that roff would interpret."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("~", r"\(ti").replace("^", r"\(ha")
    # A full stop or an apostrophe at the beginning of a line would make it a request.
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


def prose(text: str) -> str:
    """Text in which `code` is bold, with a paragraph wherever there is an empty line."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        parts = re.split(r"`([^`\n]+)`", paragraph)
        marked = [rf"\fB{escaped(part)}\fR" if index % 2 else escaped(part) for index, part in enumerate(parts)]
        paragraphs.append(re.sub(r"^(?=[.'])", r"\\&", "".join(marked), flags=re.MULTILINE))
    return "\n.PP\n".join(paragraphs)


def spelled(name: dict[str, str]) -> str:
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def is_shown(argument: dict[str, Any]) -> bool:
    return argument["shouldDisplay"] and (argument["kind"] == "positional" or "names" in argument)


def is_common(argument: dict[str, Any]) -> bool:
    """--help and --version, which every command has."""
    return argument["kind"] == "flag" and argument.get("preferredName", {}).get("name") in ("help", "version")


def synopsis(command: dict[str, Any]) -> str:
    """The arguments of a command in one line of roff."""
    words = []
    for argument in command.get("arguments", []):
        if not is_shown(argument) or is_common(argument):
            continue
        value = rf"\fI{escaped(argument['valueName'])}\fR"
        if argument["kind"] == "positional":
            word = value
        else:
            word = rf"\fB{escaped(spelled(argument['preferredName']))}\fR"
            if argument["kind"] == "option":
                word += " " + value
        if argument["isRepeating"]:
            word += " ..."
        words.append(f"[{word}]" if argument["isOptional"] else word)
    return " ".join(words)


def description(argument: dict[str, Any]) -> list[str]:
    """One argument, as a tagged paragraph."""
    value = rf"\fI{escaped(argument['valueName'])}\fR"
    if argument["kind"] == "positional":
        tag = value
    else:
        tag = ", ".join(rf"\fB{escaped(spelled(name))}\fR" for name in argument["names"])
        if argument["kind"] == "option":
            tag += " " + value
    lines = [".TP", tag, prose(argument.get("abstract", "") or argument.get("discussion", "") or r"See above.")]
    if "defaultValue" in argument:
        lines.append(prose(f"Default: {argument['defaultValue']}."))
    return lines


def described(command: dict[str, Any], path: list[str]) -> list[str]:
    """A command and those below it."""
    lines = [f'.SS "{escaped(" ".join(path))}"', prose(command.get("abstract", ""))]
    arguments = [each for each in command.get("arguments", []) if is_shown(each) and not is_common(each)]
    if arguments:
        lines += [".PP", rf"\fB{escaped(' '.join(path))}\fR {synopsis(command)}"]
    if command.get("discussion"):
        lines += [".PP", prose(command["discussion"])]
    for argument in arguments:
        lines += description(argument)
    for child in shown(command):
        lines += described(child, [*path, child["commandName"]])
    return lines


def shown(command: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in command.get("subcommands", []) if each["shouldDisplay"] and each["commandName"] != "help"]


def page(root: dict[str, Any], date: str, version: str) -> str:
    name = root["commandName"]
    lines = [
        f'.TH {name.upper()} 1 {date} "{name} {version}" "User Commands"',
        ".SH NAME",
        # Programs that index manual pages want no full stop, and no name as in a sentence.
        rf"{escaped(name)} \- {escaped(root['abstract'].rstrip('.'))}",
        ".SH SYNOPSIS",
        rf"\fB{escaped(name)}\fR [\fIcommand\fR] [\fIoption\fR ...]",
        ".SH DESCRIPTION",
        prose(root.get("discussion", "")),
    ]
    if "defaultSubcommand" in root:
        lines += [".PP", prose(f"Without a command it does what `{root['defaultSubcommand']}` does.")]
    lines += [".SH OPTIONS", "All commands have these options."]
    for argument in root.get("arguments", []):
        if is_shown(argument):
            lines += description(argument)
    lines += [".TP", r"\fB\-\-version \-\-verbose\fR"]
    lines.append("Show the versions of the libraries and packages in the program, too.")
    lines.append(".SH COMMANDS")
    for command in shown(root):
        lines += described(command, [command["commandName"]])
    return "\n".join(line for line in lines if line) + TAIL


def main() -> None:
    if len(sys.argv) != 3 or not re.fullmatch(r"\d{4}-\d\d-\d\d", sys.argv[1]):
        sys.exit("usage: manpage.py YYYY-MM-DD VERSION <HELP.json")
    sys.stdout.write(page(json.load(sys.stdin)["command"], sys.argv[1], sys.argv[2]))


if __name__ == "__main__":
    main()
