"""A store that machines share: a folder, or a bucket of S3.

Small entries of a site are in one object, which is read and written once a build; those of a
distribution, which many sites have, are each an object of its own. An object begins with a digest
of its name and content, an HMAC where there is a key, and is used only where that is right. What
goes wrong with the store is told once, and the build goes on without it.
"""

import hmac
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from threading import Lock
from typing import Protocol

from routelet_bundler.cache.local import FORMAT, digest
from routelet_bundler.cache.parts import parted, parts_of

APART = frozenset({"distributions"})
"""Kinds of which each entry is an object."""
TOGETHER = frozenset({"members", "resolved", "verified"})
"""Kinds that a site has together. Other kinds are not shared: they hold paths, times or pickles."""

MAX_SITE_BYTES = 64 * 1024 * 1024
"""How much of a site's small entries is kept; those that were not used for longest go first."""

_AT_ONCE = 8
_DIGEST_BYTES = sha256().digest_size
_NONE = parted(())


class Store(Protocol):
    """Objects by name. Both methods raise `OSError` where the store does not answer."""

    def read(self, name: str) -> bytes | None:
        """Return an object, None where there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Keep an object."""


class Shared:
    """What machines share of a cache; `site` names what has its small entries together.

    The store is opened when it is needed first, which a build that changes nothing does not.
    Objects that were written without `secret`, or with another one, are not used.
    """

    def __init__(self, opened: Callable[[], Store], site: str, secret: bytes = b"") -> None:
        self._open = opened
        self._opened: Store | None = None
        self._secret = secret
        self._site = f"v{FORMAT}/sites/{digest(site)}"
        self._opening, self._lock = Lock(), Lock()
        self._kept: dict[str, bytes] | None = None
        """Entries of the site as they are in the store; None before they are asked for."""
        self._used: dict[str, bytes] = {}
        self._is_new = False
        self._failed: list[str] = []
        self._untrusted: list[str] = []
        self._writing: list[Future[None]] = []
        self._threads = ThreadPoolExecutor(_AT_ONCE)

    def read(self, kind: str, key: str) -> bytes | None:
        """Return an entry, None where there is none that can be trusted."""
        if kind in APART:
            return self._get(_apart(kind, key))
        if kind not in TOGETHER:
            return None
        name = f"{kind}/{key}"
        data = self._site_entries().get(name)
        if data is not None:
            self._used[name] = data
        return data

    def write(self, kind: str, key: str, data: bytes) -> None:
        """Keep an entry; what is not written at once is when this is closed."""
        if kind in APART:
            self._writing.append(self._threads.submit(self._put, _apart(kind, key), data))
        elif kind in TOGETHER:
            self._used[f"{kind}/{key}"] = data
            self._is_new = True

    def close(self) -> tuple[str, ...]:
        """Finish writing; return what people are to be told."""
        if self._is_new:
            kept = _newest({**self._site_entries(), **self._used}, self._used)
            self._put(self._site, parted(([name], data) for name, data in kept.items()))
        for written in self._writing:
            written.result()
        self._threads.shutdown()
        told = [f"the shared cache is not used: {why}" for why in self._failed[:1]]
        if self._untrusted:
            told.append(
                f"{len(self._untrusted)} objects of the shared cache are damaged, or signed with "
                f"another key, and were not used: {self._untrusted[0]}"
            )
        return tuple(told)

    def _site_entries(self) -> Mapping[str, bytes]:
        with self._lock:
            if self._kept is None:
                found = self._get(self._site)
                try:
                    self._kept = {str(name): data for (name,), data in parts_of(found or _NONE)}
                except ValueError:  # signed, and written by none of our builds
                    self._untrusted.append(self._site)
                    self._kept = {}
            return self._kept

    def _store(self) -> Store:
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _get(self, name: str) -> bytes | None:
        if self._failed:
            return None
        try:
            stored = self._store().read(name)
        except OSError as error:
            self._failed.append(str(error))
            return None
        if stored is None:
            return None
        told, data = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
        if hmac.compare_digest(told, self._digest(name, data)):
            return data
        self._untrusted.append(name)
        return None

    def _put(self, name: str, data: bytes) -> None:
        if self._failed:
            return
        try:
            self._store().write(name, self._digest(name, data) + data)
        except OSError as error:
            self._failed.append(str(error))

    def _digest(self, name: str, data: bytes) -> bytes:
        """Return what proves that whoever wrote `data` under this name has the secret."""
        return hmac.digest(self._secret, f"{len(name)} {name}".encode() + data, "sha256")


def _apart(kind: str, key: str) -> str:
    return f"v{FORMAT}/{kind}/{key[:2]}/{key}"


def _newest(
    entries: Mapping[str, bytes], used: Mapping[str, bytes], most: int = MAX_SITE_BYTES
) -> dict[str, bytes]:
    """Return as many entries as may be kept, those that were used just now at the end."""
    ordered = [*(name for name in entries if name not in used), *used]
    kept: list[str] = []
    size = 0
    for name in reversed(ordered):
        if size + len(entries[name]) <= most:
            kept.append(name)
            size += len(entries[name])
    return {name: entries[name] for name in reversed(kept)}
