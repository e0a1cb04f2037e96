"""Import the modules of one unpacked function; runs alone under the target's Python.

Started with `-X importtime`, or without it to be timed. Standard input is two lines, each with
parts between NUL characters: the folders of sys.path beside the standard library, the function's
own first; and the modules, in the order in which they are imported. Standard output is the
CPU time that importing took, in nanoseconds.

Nothing is imported here that a bare interpreter has not loaded itself, but for what is built in:
what this script loads, `-X importtime` would not tell of the function.
"""

import faulthandler
import posix
import sys
import time

MAX_SECONDS = 60
"""As in verify: a module that takes longer to import is stuck."""


def main() -> None:
    """Import, and say how long it took."""
    path, modules = (line.rstrip("\n").split("\0") for line in sys.stdin)
    to_caller = posix.dup(1)
    posix.dup2(2, 1)  # what modules print
    faulthandler.dump_traceback_later(MAX_SECONDS, exit=True)
    sys.path[:0] = path
    posix.chdir(path[0])
    sys.stderr.write("routelet: begin\n")  # what comes before is the interpreter's own
    sys.stderr.flush()
    start = time.process_time_ns()
    for module in modules:
        __import__(module)
    took = time.process_time_ns() - start
    sys.stderr.flush()
    posix.write(to_caller, str(took).encode())
    posix._exit(0)  # threads that a module started do not hold it up


main()
