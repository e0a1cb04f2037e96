"""What the signed header costs: a function that checks it, and the edge that makes it.

    .venv/bin/python benchmarks/edge/run.py

Each figure is the least of many rounds, in microseconds of CPU per request; whatever else runs on
the machine makes rounds longer and none shorter.
"""

import time
from collections.abc import Callable

from routelet.headers import LOCALS_HEADER
from routelet.http import Request
from routelet.signing import Claims, accept, sign

KEY = "k" * 64
NOW = 1_800_000_000.0
ROUNDS, REQUESTS = 100, 200
USER: dict[str, object] = {"user": {"id": 7, "name": "Ada", "roles": ["author", "admin"]}}
LARGE: dict[str, object] = {"rows": [{"id": number, "name": "x" * 40} for number in range(60)]}
CASES: dict[str, tuple[str, dict[str, object]]] = {
    "no locals": ("/posts/7", {}),
    "a user": ("/posts/7", USER),
    "a user, query of three": ("/posts/7?a=1&b=2&c=3", USER),
    "4 KB of locals": ("/posts/7", LARGE),
}
HEADERS = {"host": "api.example", "user-agent": "curl/8", "accept": "*/*", "cookie": "a=b; c=d"}


def least_us(act: Callable[[Request], object], request: Callable[[], Request]) -> float:
    """Return the microseconds that `act` takes at least, for a request that is new each time."""
    found = []
    for _ in range(ROUNDS):
        requests = [request() for _ in range(REQUESTS)]
        start = time.process_time_ns()
        for one in requests:
            act(one)
        found.append((time.process_time_ns() - start) / REQUESTS / 1000)
    return min(found)


def main() -> None:
    """Print a row for each case."""
    print(f"{'':26}{'check us':>10}{'sign us':>10}{'header bytes':>14}")
    for name, (url, locals) in CASES.items():
        claims = Claims(locals=locals, host="shop.example", client_address="203.0.113.9")
        text = sign(Request(url), claims, KEY, NOW)

        def arrived(url: str = url, text: str = text) -> Request:
            return Request(url, headers={**HEADERS, LOCALS_HEADER: text})

        def sent(url: str = url) -> Request:
            return Request(url, headers=HEADERS)

        def check(request: Request) -> object:
            return accept(request, KEY, NOW)

        def make(request: Request, claims: Claims = claims) -> object:
            return sign(request, claims, KEY, NOW)

        checked, made = least_us(check, arrived), least_us(make, sent)
        print(f"{name:26}{checked:>10.1f}{made:>10.1f}{len(text):>14}")


if __name__ == "__main__":
    main()
