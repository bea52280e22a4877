#!/usr/bin/env python3
"""Makes the SBOM of a package (SPDX 2.3, JSON) from what the program says of itself.

    mqtt-quic-bridge version --json | sbom.py --version VERSION --swift VERSION --time SECONDS --binary FILE \\
        --resolved Package.resolved [--library NAME=VERSION ...]

The version is the package's, the time that of the source (SOURCE_DATE_EPOCH), so that the same source always has the same
SBOM. It goes to standard output.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import re
import sys
from typing import Any

DOCUMENT = "SPDXRef-DOCUMENT"
PROGRAM = "SPDXRef-mqtt-quic-bridge"


def package(name: str, version: str, location: str, purl: str) -> dict[str, Any]:
    return {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name),
        "name": name,
        "versionInfo": version,
        "downloadLocation": location or "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
        ],
    }


def revisions(resolved: str) -> dict[str, str]:
    """The revision of each location that the package manager has resolved."""
    with open(resolved, encoding="utf-8") as file:
        return {pin["location"]: pin["state"].get("revision", "") for pin in json.load(file)["pins"]}


def swift_package(entry: dict[str, str], revision: str) -> dict[str, Any]:
    """A package that is compiled into the program."""
    location, name, version = entry["location"], entry["name"], entry["version"]
    if not location.startswith("https://"):
        return package(name, version, "", f"pkg:generic/{name}@{version}")
    place = location.removeprefix("https://").removesuffix(".git")
    return package(
        name, version, f"git+{location}@{revision}" if revision else location, f"pkg:swift/{place}@{version}"
    )


def library(text: str) -> dict[str, str]:
    """A shared library that cannot tell its version, given as NAME=VERSION."""
    name, version = text.split("=", 1)
    return {"name": name, "version": version}


def relation(kind: str, target: str, source: str = PROGRAM) -> dict[str, str]:
    return {"spdxElementId": source, "relationshipType": kind, "relatedSpdxElement": target}


def document(report: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    with open(options.binary, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    program = package(
        "mqtt-quic-bridge", options.version, "", f"pkg:deb/mqtt-quic-bridge@{options.version}"
    ) | {"licenseDeclared": "Apache-2.0", "primaryPackagePurpose": "APPLICATION"}
    program["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest}]
    known = revisions(options.resolved)
    built_in = [swift_package(entry, known.get(entry["location"], "")) for entry in report["packages"]]
    built_in.append(package("swift", options.swift, "https://swift.org", f"pkg:generic/swift@{options.swift}"))
    loaded = [
        package(each["name"], each["version"], "", f"pkg:generic/{each['name'].lower()}@{each['version']}")
        for each in [*report["libraries"], *map(library, options.library)]
    ]
    created = datetime.datetime.fromtimestamp(options.time, datetime.timezone.utc)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": f"mqtt-quic-bridge-{options.version}",
        "documentNamespace": f"urn:mqtt-quic-bridge:sbom:{options.version}:{digest}",
        "creationInfo": {
            "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: mqtt-quic-bridge-sbom"],
        },
        "packages": [program, *built_in, *loaded],
        "relationships": [
            relation("DESCRIBES", PROGRAM, DOCUMENT),
            *[relation("STATIC_LINK", each["SPDXID"]) for each in built_in],
            *[relation("DYNAMIC_LINK", each["SPDXID"]) for each in loaded],
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("version", "swift", "binary", "resolved"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--time", type=int, required=True)
    parser.add_argument("--library", action="append", default=[])
    json.dump(document(json.load(sys.stdin), parser.parse_args()), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
