"""Which environment answers, and how warm it is. Imports only the standard library."""

import os
import platform
import sys
import time
from typing import Any

from routelet import Context

STARTED = time.monotonic()
answered = 0


def GET(ctx: Context) -> dict[str, Any]:
    # Module scope lives as long as the environment: 1 means that this request was a cold start.
    global answered
    answered += 1
    return {
        "status": "ok",
        "python": platform.python_version(),
        "architecture": platform.machine(),
        "function": os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
        "memory_mb": int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0")) or None,
        "age_s": round(time.monotonic() - STARTED, 3),
        "answered": answered,
        "modules": len(sys.modules),
    }
