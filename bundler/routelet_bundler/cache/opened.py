"""The cache that the environment asks for.

`ROUTELET_CACHE` is the folder of this machine, `ROUTELET_SHARED_CACHE` what is behind it: a folder
or `s3://BUCKET/PREFIX`. `ROUTELET_CACHE_KEY` signs what is written there.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from routelet_bundler.cache.local import Cache, default_cache
from routelet_bundler.cache.prune import prune
from routelet_bundler.cache.shared import Shared, Store
from routelet_bundler.cache.stores import FolderStore
from routelet_bundler.errors import WRONG_USE, RouteletError

SHARED = "ROUTELET_SHARED_CACHE"
KEY = "ROUTELET_CACHE_KEY"


def open_cache(
    folder: Path | None, site: str, environment: Mapping[str, str] = os.environ
) -> Cache:
    """Return the cache of this machine with what is shared behind it, or `folder` alone.

    Raises `RouteletError` where it is no folder that can be written to, or no shared cache.
    """
    here = folder or default_cache()
    try:
        here.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(here, error.strerror or str(error)) from None
    if not os.access(here, os.W_OK | os.X_OK):
        raise _unusable(here, "it cannot be written to")
    with suppress(OSError):  # another build was at it, or another user's folder
        prune(here, time.time())
    url = environment.get(SHARED)
    if folder or not url:
        return Cache(here)
    return Cache(here, Shared(_store(url), site, environment.get(KEY, "").encode()))


def _unusable(folder: Path, why: str) -> RouteletError:
    return RouteletError(
        f"cannot be the folder of the cache: {why}",
        where=str(folder),
        mend="set ROUTELET_CACHE to a folder that can be written to",
        status=WRONG_USE,
    )


def _store(url: str) -> Callable[[], Store]:
    """Return what opens the store that a URL or a path names."""
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        if find_spec("boto3") is None:
            raise RouteletError(
                "a bucket needs boto3", where=SHARED, mend="pip install 'routelet[s3]'"
            )
        return partial(_bucket, parts.netloc, parts.path.strip("/"))
    if "://" in url:
        raise RouteletError(
            f"{url} is no shared cache",
            where=SHARED,
            mend="name a folder, or s3://BUCKET/PREFIX",
            status=WRONG_USE,
        )
    return partial(FolderStore, Path(url).expanduser())


def _bucket(bucket: str, prefix: str) -> Store:
    # 0.5 s of CPU with its client, and only a build that lacks something needs it.
    from routelet_bundler.cache.s3 import S3Store  # noqa: PLC0415

    return S3Store(bucket, prefix)
