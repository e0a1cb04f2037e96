"""How far `split = "auto"` is from the best of all splits, and how long it takes.

    .venv/bin/python benchmarks/build/splits.py
    .venv/bin/python benchmarks/build/splits.py shop DIR     writes the shop of docs/splitting.md

Routes are made up: some of 12 distributions of many sizes, data of their own now and then, rates
from one request in ten hours to 5,000 an hour. The best split is found by trying all.
"""

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from routelet_bundler.grouping import Settings
from routelet_bundler.model import Limits
from routelet_bundler.split.auto import auto
from routelet_bundler.split.candidates import candidate
from routelet_bundler.split.cost import distribution_import_s
from routelet_bundler.split.weights import WeighedRoute, Weight, Weights

LIMITS = Limits(zipped_bytes=50 * 1024 * 1024, unzipped_bytes=250 * 1024 * 1024)
SIZES_MB = (0.05, 0.1, 0.2, 0.4, 0.5, 1, 1, 2, 4, 8, 16, 20)
RATES = (0.1, 1, 10, 60, 60, 600, 5000)
PARTS = (
    Weight(zipped=100_000, unzipped=240_000, import_s=0.012),  # the runtime, in every route
    *(
        Weight(
            zipped=int(one * 1e6),
            unzipped=int(3 * one * 1e6),
            import_s=distribution_import_s(int(one * 1e6)),
        )
        for one in SIZES_MB
    ),
)
SETTINGS = Settings(
    group=None, architecture="x86_64", memory_mb=512, timeout_s=10, storage_mb=512,
    environment=(), reserved_concurrency=None, snap_start=False, policies=(),
)  # fmt: skip


def site(count: int, sets: int, chooser: random.Random) -> Weights:
    """Return routes, each with one of `sets` sets of distributions."""
    packages = [
        tuple(sorted(chooser.sample(range(1, len(PARTS)), chooser.randint(0, 3))))
        for _ in range(sets)
    ]
    routes = []
    for number in range(count):
        chosen = chooser.choice(packages)
        own = 3_000 if chooser.random() < 0.9 else chooser.randint(10_000, 5_000_000)
        routes.append(
            WeighedRoute(
                name=f"/r{number:05}",
                file=f"r{number:05}.py",
                settings=SETTINGS,
                rate=float(chooser.choice(RATES)),
                shared=(0, *chosen),
                own=Weight(zipped=own, unzipped=3 * own, import_s=0.0005),
                packages=frozenset(map(str, chosen)),
                relies_on_host=False,
                packs_of_host=False,
            )
        )
    return Weights(routes=tuple(routes), parts=PARTS)


def partitions(items: list[int]) -> Iterator[list[list[int]]]:
    """Yield every way of putting items into groups."""
    if not items:
        yield []
        return
    first, *rest = items
    for groups in partitions(rest):
        yield [[first], *groups]
        for at, group in enumerate(groups):
            yield [*groups[:at], [first, *group], *groups[at + 1 :]]


def best(weights: Weights) -> float:
    """Return the cost of the best of all splits."""
    count = len(weights.routes)
    costs = {}
    for bits in range(1, 2**count):
        found = candidate([weights.routes[n] for n in range(count) if bits >> n & 1], weights.parts)
        costs[bits] = found.cost_s if found.fits(LIMITS) else float("inf")
    return min(
        sum(costs[sum(1 << n for n in group)] for group in groups)
        for groups in partitions(list(range(count)))
    )


def gaps(rounds: int = 300) -> None:
    """Print how much dearer `auto` is than the best split of up to 7 routes."""
    chooser = random.Random(1)
    found = []
    for _ in range(rounds):
        weights = site(chooser.randint(2, 7), 4, chooser)
        chosen = sum(one.cost_s for one in auto(weights, LIMITS))
        found.append(chosen / best(weights) - 1)
    found.sort()
    exact = sum(gap < 1e-9 for gap in found) / rounds
    print(f"{rounds} sites of 2 to 7 routes: {exact:.0%} are the best split; dearer by")
    print(f"  median {median(found):.2%}, nine in ten {found[rounds * 9 // 10]:.2%}, ", end="")
    print(f"worst {found[-1]:.2%}")


def misjudged(rounds: int = 200, factor: float = 2.7) -> None:
    """Print what it costs that every import takes `factor` times as long as estimated, or less."""
    chooser = random.Random(3)
    found = []
    for _ in range(rounds):
        weights = site(12, 5, chooser)
        own = {one.file: one for one in weights.routes}
        right = sum(one.cost_s for one in auto(weights, LIMITS))
        for wrong in (factor, 1 / factor):
            chosen = auto(_scaled(weights, wrong), LIMITS)
            groups = ([own[route.file] for route in one.routes] for one in chosen)
            found.append(sum(candidate(one, weights.parts).cost_s for one in groups) / right - 1)
    found.sort()
    print(f"imports misjudged by {factor}: dearer by median {median(found):.2%}, ", end="")
    print(f"nine in ten {found[len(found) * 9 // 10]:.2%}, worst {found[-1]:.2%}")


def _scaled(weights: Weights, factor: float) -> Weights:
    def scaled(one: Weight) -> Weight:
        return replace(one, import_s=one.import_s * factor)

    return Weights(
        routes=tuple(replace(one, own=scaled(one.own)) for one in weights.routes),
        parts=tuple(map(scaled, weights.parts)),
    )


def times() -> None:
    """Print how long `auto` takes."""
    for count, sets in ((10, 5), (24, 12), (100, 10), (1000, 20), (1000, 1000), (10_000, 50)):
        weights = site(count, sets, random.Random(2))
        start = time.process_time()
        functions = auto(weights, LIMITS)
        took = time.process_time() - start
        print(
            f"{count:6} routes, {sets:4} sets: {len(functions):4} functions, {took * 1e3:8.1f} ms"
        )


SHOP = """\
[project]
name = "shop"
version = "1"
dependencies = [
  "boto3", "pydantic>=2", "pandas<2.3", "numpy<2.3", "pillow", "requests", "jinja2", "stripe"
]
[tool.routelet]
output = "server"
adapter = "aws-lambda"
[tool.routelet.adapters.aws-lambda]
runtime = "python3.11"
split = "auto"
"""
SHOP_PAGES = {
    "from lib.money import cents": (
        "health version time prices stores/index stores/[id] cart/total legal currency"
    ),
    "from lib.db import table": (
        "products/index products/[id] users/[id] users/index reviews/[id] stock/[id] cart/index"
    ),
    "from lib.models import Order": "orders/index orders/[id]",
    "import stripe": "checkout",
    "import requests": "webhook",
    "import jinja2": "invoice/[id]",
    "import pandas": "reports/sales",
    "from PIL import Image": "images/[id]",
}
SHOP_MODULES = {
    "money": "def cents(x):\n    return round(100 * x)\n",
    "db": 'import boto3\ndef table(name):\n    return boto3.resource("dynamodb").Table(name)\n',
    "models": "from pydantic import BaseModel\nclass Order(BaseModel):\n    id: int\n",
}


def shop(root: Path) -> None:
    """Write a site whose routes differ strongly in what they need."""
    texts = {"pyproject.toml": SHOP}
    texts |= {f"src/lib/{name}.py": text for name, text in SHOP_MODULES.items()}
    for imports, names in SHOP_PAGES.items():
        for name in names.split():
            texts[f"src/pages/{name}.py"] = f"{imports}\ndef GET(ctx):\n    return {{'ok': True}}\n"
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["shop", folder]:
            shop(Path(folder))
        case _:
            gaps()
            misjudged()
            times()
