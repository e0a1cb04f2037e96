"""A shared store that is a folder, such as one that a CI keeps or a network file system."""

import tempfile
from pathlib import Path


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
        place = self._folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            fresh = Path(file.name)
            file.write(data)
        fresh.chmod(0o644)  # other users read it; a temporary file is its owner's alone
        fresh.replace(place)
