#!/usr/bin/env python3
"""Follows deploy/Dockerfile without a container engine, in trees of Debian. For scripts/test-image, as root.

    image.py --file Dockerfile --trees FOLDER --base STAGE=TREE [--arg NAME=VALUE ...] [--bind STAGE:FROM:TO ...]

A stage of the Dockerfile that is named as a base is that tree; every other one becomes a tree in FOLDER. Folders to bind
are seen in a stage while its commands run, and are not part of it: the toolchain, for example. An instruction that is not
known here is an error. What the last stage says about its program goes to standard output, as JSON.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Stage:
    """A tree, and what the instructions so far say about it."""

    def __init__(self, tree: Path, name: str) -> None:
        self.tree, self.name = tree, name
        self.folder = "/"
        self.shell = ["/bin/sh", "-c"]
        self.environment = {"PATH": PATH, "HOME": "/root"}
        self.arguments: dict[str, str] = {}
        self.facts: dict[str, Any] = {}

    def expand(self, text: str) -> str:
        return expand(text, self.environment | self.arguments)

    def inside(self, path: str) -> Path:
        return self.tree / os.path.join(self.folder, path).lstrip("/")


def fail(text: str) -> None:
    sys.exit(f"error: {text}")


def expand(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: values.get(found[1] or found[2], ""), text)


def instructions(text: str) -> list[tuple[str, str]]:
    """Name and arguments of each instruction; lines are joined, and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    parts = [line.strip().partition(" ") for line in joined.splitlines()]
    return [(head.upper(), rest.strip()) for head, _, rest in parts if head]


def is_ignored(path: str, patterns: list[str]) -> bool:
    """The rules of .dockerignore, of which the last one that fits decides. A pattern also fits what is below it."""
    ignored = False
    for pattern in patterns:
        allows, pattern = pattern.startswith("!"), pattern.removeprefix("!").removeprefix("**/")
        parts = path.split("/")
        heads = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        if any(fnmatch.fnmatchcase(each, pattern) for each in heads + parts):
            ignored = not allows
    return ignored


def context(root: Path) -> list[str]:
    """The files that the image may be built from, of those that git knows or would take."""
    lines = (root / ".dockerignore").read_text().splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    names = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True,
    ).stdout.split("\0")
    resolved = ["Package.resolved"] if (root / "Package.resolved").exists() else []
    files = {name for name in names + resolved if name and (root / name).is_file()}
    return sorted(name for name in files if not is_ignored(name, patterns))


def copy(stage: Stage, words: list[str], root: Path, files: list[str], stages: dict[str, Stage]) -> None:
    origin = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), None)
    *sources, target = [word for word in words if not word.startswith("--")]
    for source in sources:
        if origin:
            place = stage.inside(target)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(stages[origin].tree / source.lstrip("/"), place)
            continue
        below = source.rstrip("/") + "/"
        named = [name for name in files if fnmatch.fnmatchcase(name, source) or name.startswith(below)]
        if not named:
            fail(f"COPY {source}: there is no such file, or .dockerignore leaves it out")
        for name in named:
            # A folder's contents keep their places in it; a file gets the name, or goes into the folder, that is the target.
            end = name.removeprefix(below) if name.startswith(below) else os.path.basename(name)
            whole = not name.startswith(below) and not target.endswith("/")
            place = stage.inside(target if whole else os.path.join(target, end))
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, place)


def run(stage: Stage, command: str, binds: list[tuple[str, str, str]]) -> None:
    print(f"==> {stage.name}: {command[:110]}", file=sys.stderr, flush=True)
    mounts = [["-t", "proc", "proc", "/proc"], ["--rbind", "/dev", "/dev"], ["-t", "tmpfs", "tmpfs", "/tmp"]]
    mounts += [["--bind", source, target] for name, source, target in binds if name == stage.name]
    lines = ["set -e"]
    for *options, target in mounts:
        place = shlex.quote(f"{stage.tree}{target}")
        lines.append(f"mkdir -p {place}; mount {shlex.join(options)} {place}")
    lines.append('exec chroot "$0" "$@"')
    inner = [*stage.shell[:-1], stage.shell[-1], f"cd {shlex.quote(stage.folder)} && {command}"]
    if stage.shell[0].endswith("bash"):
        inner[-1] = f"cd {shlex.quote(stage.folder)}; {command}"
    subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(lines), str(stage.tree), *inner],
        check=True, env=stage.environment | stage.arguments | {"DEBIAN_FRONTEND": "noninteractive"}, stdout=sys.stderr,
    )


def begin(words: list[str], globals_: dict[str, str], options: argparse.Namespace, stages: dict[str, Stage]) -> Stage:
    base = expand(words[0], globals_)
    name = words[2] if len(words) == 3 else "image"
    if name in options.base:
        return Stage(Path(options.base[name]), name)
    if base not in stages:
        # A stage that is not wanted, of another Debian.
        return Stage(Path("/nonexistent"), name)
    tree = Path(options.trees) / name
    subprocess.run(["rm", "-rf", "--one-file-system", str(tree)], check=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(stages[base].tree), str(tree)], check=True)
    return Stage(tree, name)


def follow(options: argparse.Namespace) -> Stage:
    root = Path(options.file).resolve().parent.parent
    files = context(root)
    globals_: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    stage = None
    for name, rest in instructions(Path(options.file).read_text()):
        if name == "ARG":
            key, _, default = rest.partition("=")
            value = options.arg.get(key, globals_.get(key, default))
            (stage.arguments if stage else globals_)[key] = value
        elif name == "FROM":
            stage = begin(rest.split(), globals_, options, stages)
            stages[stage.name] = stage
        elif stage is None:
            fail(f"{name} comes before the first FROM")
        elif name == "RUN":
            run(stage, rest, options.bind)
        elif name == "COPY":
            copy(stage, rest.split(), root, files, stages)
        elif name == "WORKDIR":
            stage.folder = os.path.join(stage.folder, rest)
            stage.inside("").mkdir(parents=True, exist_ok=True)
        elif name == "SHELL":
            stage.shell = json.loads(rest)
        elif name == "ENV":
            key, _, value = rest.partition("=")
            stage.environment[key] = stage.expand(value)
        elif name == "HEALTHCHECK":
            stage.facts["health"] = json.loads(rest[rest.index("CMD ") + 4 :])
        elif name in ("ENTRYPOINT", "CMD"):
            stage.facts[name.lower()] = json.loads(rest)
        elif name in ("USER", "STOPSIGNAL", "EXPOSE"):
            stage.facts[name.lower()] = rest
        else:
            fail(f"{name} is not known here; scripts/lib/image.py has to learn it")
    if stage is None:
        fail("the Dockerfile has no stage")
    return stage


def pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("file", "trees"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("base", "arg"):
        parser.add_argument(f"--{name}", type=pair, action="append", default=[])
    parser.add_argument("--bind", type=lambda text: tuple(text.split(":", 2)), action="append", default=[])
    options = parser.parse_args()
    options.base, options.arg = dict(options.base), dict(options.arg)
    try:
        stage = follow(options)
    except subprocess.CalledProcessError as error:
        fail(f"a step has failed with exit code {error.returncode}")
    environment = {key: value for key, value in stage.environment.items() if key not in ("HOME",)}
    json.dump({"tree": str(stage.tree), "folder": stage.folder, "environment": environment, **stage.facts}, sys.stdout)


if __name__ == "__main__":
    main()
