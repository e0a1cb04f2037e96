"""The recording of a site: what its functions opened, kept for a build with `trace = "audit"`."""

import json
from collections.abc import Iterable
from pathlib import Path

from routelet_bundler.sources import source_of
from routelet_bundler.trace.audit import RECORDING, SCHEMA_VERSION, read_recording


def add_to_recording(root: Path, dist: Path, seen: Iterable[Path]) -> int:
    """Add what was `seen` to the recording of a site, and return how many files that has.

    `seen` are files as the recorder writes them. A recording of other versions of distributions is
    begun anew.
    """
    built = json.loads((dist / "routelet.json").read_text("utf-8"))
    edge = built.get("edgeFunction")
    functions = [*built["functions"], *([edge] if edge else [])]
    distributions = [one for function in functions for one in function["distributions"]]
    versions = {one["name"]: one["version"] for one in distributions}
    files = {source_of(line) for file in seen for line in file.read_text("utf-8").splitlines()}
    before = read_recording(root)
    if before and versions.items() >= dict(before.versions).items():
        files |= before.files
    recorded = {
        "schemaVersion": SCHEMA_VERSION,
        "distributions": dict(sorted(versions.items())),
        "files": sorted(files),
    }
    (root / RECORDING).write_text(json.dumps(recorded, indent=1) + "\n", "utf-8")
    return len(files)
