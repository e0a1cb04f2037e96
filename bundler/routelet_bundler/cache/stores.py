"""A shared store that is a folder, such as one that a CI keeps or a network file system."""

from pathlib import Path

from routelet_bundler.cache.local import write_file


class FolderStore:
    """Objects as files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """Return an object, None where there is none; raises `OSError`."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Keep an object: written beside its place and moved there; raises `OSError`."""
        # Other users read it; what the cache of this machine writes is its owner's alone.
        write_file(self._folder / name, data, mode=0o644)
