"""Make a zip of each folder: `python zip_folders.py FROM TO`.

`sam build` leaves folders, and `sam package`, which needs an account, names what it uploads by its
content. So times are fixed here and names sorted: equal content gives equal zips.
"""

import sys
import zipfile
from pathlib import Path


def zip_folder(folder: Path, target: Path) -> None:
    """Write all files below `folder`."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)


source, out = map(Path, sys.argv[1:])
out.mkdir(exist_ok=True)
for one in source.iterdir():
    if one.is_dir():
        zip_folder(one, out / f"{one.name}.zip")
