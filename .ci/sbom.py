"""What the program is made of: an SBOM (CycloneDX 1.5, JSON) and a list of licences, from the lock file.

Licences are those that the installed packages declare. Exit 1 when one declares none, or one that is not allowed here.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata, version
from pathlib import Path

ALLOWED = re.compile(
    r"\b(MIT|BSD|Apache|PSF|Python Software Foundation|ISC|MPL|Mozilla Public|Unlicense|0BSD|LGPL|Lesser General)\b",
    re.I,
)
"""psycopg is under the LGPL: it is used as it is, and may be replaced by whoever runs the program."""
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^ ;\\]+)(?: *; *([^\\]*?))? *\\?$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pins(lock: str) -> Iterator[tuple[str, str, list[str]]]:
    """Name, version and hashes of each package of a lock file."""
    name = number = ""
    hashes: list[str] = []
    for line in lock.splitlines():
        if (pin := PIN.match(line)) is not None:
            if name:
                yield name, number, hashes
            name, number, hashes = pin[1], pin[2], []
        hashes += HASH.findall(line)
    if name:
        yield name, number, hashes


def licence_of(name: str) -> str | None:
    """What the installed package declares, "" for nothing; None when it is not for this machine."""
    try:
        facts: PackageMetadata = metadata(name)
    except PackageNotFoundError:
        return None
    kinds = [line.rpartition(" :: ")[2] for line in facts.get_all("Classifier") or [] if line.startswith("License ::")]
    declared = [*(facts.get_all("License-Expression") or []), *(facts.get_all("License") or []), ", ".join(kinds)]
    told = [text.strip().partition("\n")[0][:80] for text in declared if text.strip()]
    return next((text for text in told if ALLOWED.search(text)), told[0] if told else "")


def main() -> int:
    """Write both files; answers the exit code."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("lock", type=Path)
    asked.add_argument("--to", type=Path, default=Path("dist"))
    given = asked.parse_args()
    components, lines, wrong = [], [], []
    for name, number, hashes in pins(given.lock.read_text()):
        licence = licence_of(name)
        lines.append(f"{name} {number}: {'not for this machine' if licence is None else licence or 'none declared'}")
        if licence is not None and not ALLOWED.search(licence):
            wrong.append(lines[-1])
        components.append({
            "type": "library", "name": name, "version": number, "purl": f"pkg:pypi/{name.lower()}@{number}",
            "hashes": [{"alg": "SHA-256", "content": one} for one in hashes],
            "licenses": [{"license": {"name": licence}}] if licence else [],
        })  # fmt: skip
    root = {"type": "application", "name": "dialer", "version": version("dialer")}
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": root},
        "components": components,
    }  # fmt: skip
    given.to.mkdir(exist_ok=True)
    (given.to / "sbom.json").write_text(json.dumps(document, indent=2) + "\n")
    (given.to / "licences.txt").write_text("\n".join(lines) + "\n")
    print(f"{len(components)} packages: {given.to / 'sbom.json'}, {given.to / 'licences.txt'}")
    for line in wrong:
        print(f"not allowed here, or not known: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
