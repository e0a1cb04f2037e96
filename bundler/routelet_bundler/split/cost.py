"""What a function costs: the seconds that visitors wait for its cold starts, and a small price.

The model, its assumptions and how well it fits are in docs/splitting.md. Rates are requests an
hour, times seconds, sizes bytes.
"""

from collections.abc import Iterable
from math import exp, sqrt

EQUAL_RATE = 60.0
"""Requests an hour for each route, where no traffic is given."""
KEEP_WARM_H = 10 / 60
"""How long an idle environment is kept: measured by others, promised by nobody.

https://mikhail.io/2019/08/aws-lambda-cold-starts-after-10-minutes/
"""
SCALING_SHARE = 0.005
"""Requests that start an environment though another is warm: all are busy, or one was replaced.

AWS reports cold starts of all kinds for under 1 % of invocations: half of that.
https://aws.amazon.com/blogs/compute/operating-lambda-performance-optimization-part-1/
"""
BASE_S = 0.15
"""A cold start of Python without dependencies; the same for every split, but for their number."""
DOWNLOAD_S_A_BYTE = 0.015 / 1e6
"""Fetching and unpacking a zip: 15 ms a megabyte, of measurements up to 3 MB.

https://github.com/bustle/shep/issues/247
"""
FUNCTION_S_AN_HOUR = 0.05
"""The price of one more function: it has to spare visitors 1.2 s of waiting a day."""
STORED_S_A_BYTE_AN_HOUR = 0.001 / 1e6
"""The price of a byte that is uploaded and stored: a megabyte is worth 24 ms a day."""

DISTRIBUTION_S_A_ROOT_BYTE = 0.036 / 1e3
"""Importing a distribution, by the square root of its Python sources: large ones load less of them.

Fitted to 22 real ones under CPython 3.11: half are within a factor of 1.4, nine in ten of 2.7.
"""
LOCAL_S_A_BYTE = 0.1 / 1e6
"""Importing local sources, of which all that are traced are loaded."""
HOST_S = 0.13
"""Importing what is left to the host: `import boto3` (measured)."""


def distribution_import_s(source: int) -> float:
    """Return how long a distribution with so many bytes of Python takes to import."""
    return DISTRIBUTION_S_A_ROOT_BYTE * sqrt(source)


def starts_an_hour(rate: float) -> float:
    """Return how many cold starts a function has.

    Requests come at random (Poisson): one finds no environment when none came for `KEEP_WARM_H`.
    """
    idle = exp(-rate * KEEP_WARM_H)
    return rate * (idle + (1 - idle) * SCALING_SHARE)


def loads_an_hour(part_rate: float, rate: float, starts: float) -> float:
    """Return how often something is loaded that a share of a function's requests needs.

    Once in an environment, by the first request that needs it. An environment answers a request
    that starts it, and each further one with the probability that it is not the start of another:
    their number is geometric, and each needs the part with the probability `part_rate / rate`.
    """
    if not part_rate:
        return 0.0
    return starts * part_rate / (starts + (1 - starts / rate) * part_rate)


def waiting_s(rate: float, zipped: int, imports: Iterable[tuple[float, float]]) -> float:
    """Return the seconds an hour that visitors wait for a function's cold starts.

    `imports` are what is imported: the rate of the requests that need it, and its seconds.
    """
    starts = starts_an_hour(rate)
    loading = sum(s * loads_an_hour(part, rate, starts) for part, s in imports)
    return starts * (BASE_S + DOWNLOAD_S_A_BYTE * zipped) + loading


def price_s(zipped: int) -> float:
    """Return the price of a function, in the same seconds an hour."""
    return FUNCTION_S_AN_HOUR + STORED_S_A_BYTE_AN_HOUR * zipped
