"""What builds tell of splits, against what the splits are when they are built."""

import json
import random
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path

import jsonschema
import pytest

from routelet_bundler import Build, build
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Split, SplitFigures

PROJECT = '[project]\nname = "site"\nversion = "1"\n[tool.routelet]\noutput = "server"\n'
ADAPTER = 'adapter = "aws-lambda"\n[tool.routelet.adapters.aws-lambda]\nsplit = "{}"\n'
SCHEMA = Path(__file__).parents[3] / "docs" / "routelet.schema.json"
SPLITS: tuple[Split, ...] = ("route", "config", "auto", "single")
NOISE = "".join(map(chr, (33 + n * n % 90 for n in range(3000))))
PAGE = "from lib.{} import f\ndef GET(ctx):\n    return {{'n': f()}}\n"

Sites = Callable[..., Build]


def pages() -> dict[str, str]:
    """Return 12 pages over 3 modules, one with large data, and two configurations."""
    files = {f"src/lib/m{n}.py": f"def f():\n    return {n}\n" for n in range(3)}
    for letter, number in product("abcd", range(3)):
        config = "config = {'memory': 256}\n" if letter == "a" else ""
        files[f"src/pages/{letter}/p{number}.py"] = config + PAGE.format(f"m{number}")
    files["src/lib/m2.py"] = (
        "from pathlib import Path\n"
        "DATA = (Path(__file__).parent / 'large.txt').read_text()\n"
        "def f():\n    return len(DATA)\n"
    )
    files["src/lib/large.txt"] = "".join(f"{n} {NOISE[n % 3000]}\n" for n in range(20_000))
    return files


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Split, Build]:
    """Return the same site, built with each split."""
    made = {}
    for split in SPLITS:
        root = tmp_path_factory.mktemp(split)
        for name, text in {"pyproject.toml": PROJECT + ADAPTER.format(split), **pages()}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        made[split] = build(root)
    return made


def figures(made: Build) -> dict[Split, SplitFigures]:
    assert made.splits is not None
    return {one.split: one for one in made.splits.compared}


@pytest.mark.parametrize("split", SPLITS)
def test_what_is_told_of_a_split_is_what_building_it_gives(
    builds: Mapping[Split, Build], split: Split
) -> None:
    real = figures(builds[split])[split]
    sizes = [one.zip.zipped_bytes for one in builds[split].functions]
    assert (real.functions, real.zipped_bytes) == (len(sizes), sum(sizes))
    for used in SPLITS:
        told = figures(builds[used])[split]
        assert told.functions == real.functions
        assert told.zipped_bytes == pytest.approx(real.zipped_bytes, rel=0.01)
        assert told.median_zipped_bytes == pytest.approx(real.median_zipped_bytes, rel=0.01)
        assert told.waiting_s == real.waiting_s


def test_every_zip_of_every_split_is_verified(builds: Mapping[Split, Build]) -> None:
    for made in builds.values():
        assert all(one.verdict.verified for one in made.functions)
        assert len(made.entry_points) == 12
        assert all(Path(url[7:]).is_file() for url in made.entry_points.values())


def test_auto_is_no_dearer_and_keeps_configurations_apart(builds: Mapping[Split, Build]) -> None:
    found = figures(builds["route"])
    assert found["auto"].functions < found["route"].functions
    for one in builds["auto"].functions:
        assert len({page.config.memory for page in one.function.pages}) == 1


def test_a_choice_has_its_reason_for_every_route(builds: Mapping[Split, Build]) -> None:
    splits = builds["auto"].splits
    assert splits is not None
    told = [route for one in splits.choices for route in one.routes]
    assert sorted(told) == sorted(route.route for route in builds["auto"].routes)
    assert [one.routes for one in splits.choices if "one function, not " in one.why]
    assert all("s of waiting an hour" in one.why for one in splits.choices)
    others = [made.splits for used, made in builds.items() if used != "auto"]
    assert [one.choices for one in others if one] == [(), (), ()]


def test_the_manifest_has_what_is_told(builds: Mapping[Split, Build]) -> None:
    for split, made in builds.items():
        manifest = json.loads((made.out_dir / "routelet.json").read_text())
        jsonschema.validate(manifest, json.loads(SCHEMA.read_text()))
        assert manifest["adapter"]["split"] == split
        assert [one["split"] for one in manifest["splits"]["compared"]] == list(SPLITS)
        assert bool(manifest["splits"]["choices"]) == (split == "auto")


def test_a_build_from_the_cache_tells_the_same(builds: Mapping[Split, Build]) -> None:
    root = builds["route"].out_dir.parent
    before = (root / "dist/routelet.json").read_bytes()
    assert build(root).splits == builds["route"].splits
    assert (root / "dist/routelet.json").read_bytes() == before


def test_one_route_has_nothing_to_compare(write_site: Callable[..., Path]) -> None:
    root = write_site({"src/pages/a.py": ""}, PROJECT + ADAPTER.format("auto"))
    assert build(root).splits is None
    assert "splits" not in json.loads((root / "dist/routelet.json").read_text())


def test_a_split_that_configurations_do_not_allow_is_told_of(
    write_site: Callable[..., Path],
) -> None:
    arm = "config = {'architecture': 'arm64'}\n"
    root = write_site(
        {"src/pages/a.py": "", "src/pages/b.py": arm}, PROJECT + ADAPTER.format("route")
    )
    splits = build(root).splits
    assert splits is not None
    [(split, why)] = splits.impossible
    assert (split, [one.split for one in splits.compared]) == (
        "single",
        ["route", "config", "auto"],
    )
    assert why.startswith("src/pages/b.py has architecture arm64")


def test_traffic_decides(write_site: Callable[..., Path]) -> None:
    data = {f"src/lib/{name}.bin": random.Random(name).randbytes(1_000_000) for name in "ab"}
    page = (
        "from pathlib import Path\n"
        "DATA = (Path(__file__).parents[1] / 'lib/{}.bin').read_bytes()\n"
        "def GET(ctx):\n    return len(DATA)\n"
    )
    files = {**data, **{f"src/pages/{name}.py": page.format(name) for name in "ab"}}
    options = PROJECT + ADAPTER.format("auto") + 'traffic = "traffic.csv"\n'
    header = "route,requests_per_hour\n"
    quiet = {**files, "traffic.csv": header + "/a,1\n/b,1\n"}
    assert len(build(write_site(quiet, options)).functions) == 1
    busy = {**files, "traffic.csv": header + "/a,40000\n/b,40000\n"}
    made = build(write_site(busy, options))
    assert len(made.functions) == 2
    assert made.splits is not None
    assert made.splits.has_traffic


def test_traffic_that_is_not_there_stops_the_build(write_site: Callable[..., Path]) -> None:
    options = PROJECT + ADAPTER.format("auto") + 'traffic = "traffic.csv"\n'
    root = write_site({"src/pages/a.py": "", "src/pages/b.py": ""}, options)
    with pytest.raises(RouteletError, match="cannot be read"):
        build(root)
