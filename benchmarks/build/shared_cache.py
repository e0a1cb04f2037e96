"""Clean builds of a site with 100 functions, with and without a shared cache that is warm.

    .venv/bin/python benchmarks/build/shared_cache.py

Each build is a process of its own with an empty cache of routelet and a warm one of uv; the least
of three is told. The bucket is one of SeaweedFS on this machine. CPU is that of the build and its
children, without the server's.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from sites import pinned, write_routelet

WEED = Path(sys.executable).with_name("weed")
ROUTELET = Path(sys.executable).with_name("routelet")
COUNT = 100
RUNS = 3


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def bucket(folder: Path) -> Iterator[Mapping[str, str]]:
    """Give the environment of builds that share a bucket."""
    kinds = ("master", "volume", "filer", "s3")
    ports = {f"{kind}.port{name}": free_port() for kind in kinds for name in ("", ".grpc")}
    options = {**ports, "s3.port.iceberg": 0, "s3.port.lance": 0, "ip": "127.0.0.1"}
    command = [str(WEED), "server", f"-dir={folder}", "-filer", "-s3",
               *(f"-{name}={value}" for name, value in options.items())]  # fmt: skip
    url = f"http://127.0.0.1:{ports['s3.port']}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            client = boto3.Session("test", "test", region_name="us-east-1").client(
                "s3", endpoint_url=url
            )
            for _ in range(100):
                with suppress(BotoCoreError, ClientError):  # it is starting
                    client.create_bucket(Bucket="cache")
                    break
                time.sleep(0.2)
            yield {
                "AWS_ENDPOINT_URL_S3": url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_REGION": "us-east-1",
                "ROUTELET_SHARED_CACHE": "s3://cache/benchmark",
            }
        finally:
            server.kill()


def timed_build(root: Path, cache: Path, out: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of one build."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(
        [ROUTELET, "build", "--root", root, "--out-dir", out],
        check=True, capture_output=True, env={**os.environ, "ROUTELET_CACHE": str(cache)},
    )  # fmt: skip
    after = os.times()
    cpu = after.children_user + after.children_system
    return time.perf_counter() - start, cpu - before.children_user - before.children_system


def report(name: str, root: Path, folder: Path, environment: Mapping[str, str]) -> None:
    """Print the least times of some clean builds; the first one warms what is shared."""
    os.environ.pop("ROUTELET_SHARED_CACHE", None)
    os.environ.update(environment)
    cache, out = folder / "cache", folder / "dist"
    times = []
    for _ in range(RUNS + 1):
        shutil.rmtree(cache, ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)
        times.append(timed_build(root, cache, out))
    wall, cpu = (min(one[number] for one in times[1:]) for number in (0, 1))
    print(f"{name:<12} first {times[0][0]:6.2f} s wall {times[0][1]:6.2f} s CPU, "
          f"then {wall:6.2f} s wall {cpu:6.2f} s CPU")  # fmt: skip


def main() -> None:
    """Run everything once."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        root = folder / "site"
        write_routelet(root, COUNT, pinned(folder / "pins"))
        report("none", root, folder, {})
        report("a folder", root, folder, {"ROUTELET_SHARED_CACHE": str(folder / "shared")})
        (folder / "s3").mkdir()
        with bucket(folder / "s3") as environment:
            report("a bucket", root, folder, environment)


if __name__ == "__main__":
    main()
