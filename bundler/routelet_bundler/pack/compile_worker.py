"""Compile sources to bytecode; runs alone under the target's Python, any version from 3.10.

Standard input is JSON: `optimize`, and `sources`, a list of [path, path to be named in tracebacks].
Standard output is, for each, four bytes of length (big-endian) and the .pyc; a length of 0 for one
that does not compile. Unchecked-hash pycs (PEP 552) hold no time, so that equal sources give equal
bytes.
"""

import importlib.util
import json
import marshal
import sys
import warnings
from pathlib import Path


def compiled(source: str, name: str, optimize: int) -> bytes:
    """Return the .pyc of a source file, or nothing where it does not compile."""
    data = Path(source).read_bytes()
    try:
        code = compile(data, name, "exec", dont_inherit=True, optimize=optimize)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the latter for deep nesting
        return b""
    # PEP 552: magic, flags (1: a hash follows; 2, which is not set: check it), hash, code.
    header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
    return header + importlib.util.source_hash(data) + marshal.dumps(code)


def main() -> None:
    """Compile all that is asked for."""
    warnings.simplefilter("ignore")
    write = sys.stdout.buffer.write
    job = json.loads(sys.stdin.read())
    for source, name in job["sources"]:
        pyc = compiled(source, name, job["optimize"])
        write(len(pyc).to_bytes(4, "big") + pyc)


main()
