"""Of zips that lack one file each, how many a build finds: at least 95 of 100, and which not."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from routelet.routing import Route
from routelet_bundler import RouteletError, build
from routelet_bundler.cache import Cache
from routelet_bundler.model import HOST, Build, BuiltFunction, Traced
from routelet_bundler.verify import Check, verify

SITE = Path(__file__).parents[1] / "fixtures" / "sabotage"
TAG = f"cpython-{HOST.replace('.', '')}"

LACKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "a module that a module imports": {
        "index": ("lib/catalogue.py", "lib/text.py", "lib/clock.py"),
        "products__id_": ("lib/catalogue.py", "lib/money.py"),
        "orders": ("lib/orders/store.py", "lib/orders/model.py", "lib/orders/numbers.py"),
        "settings": ("lib/places.py",),
        "letters__kind_": ("lib/letters.py",),
    },
    "a module that a function imports": {
        "search": ("lib/search.py", "lib/stemmer.py"),
        "orders": ("lib/orders/mail.py", "lib/orders/smtp.py"),
        "products__id_": ("lib/locales.py",),
    },
    "a module whose name is looked up or put together": {
        "report": ("lib/reports/short.py", "lib/reports/long.py"),
        "pay__how_": ("lib/pay/by_card.py", "lib/pay/by_bill.py", "lib/pay/fees.py"),
    },
    "a page, a template, or what renders it": {
        "index": (
            "pages/index.py",
            "site_templates/environment.py",
            "site_templates/layouts_home_jinja.py",
            "site_templates/layouts_base_jinja.py",
            "site_templates/components_card_jinja.py",
        ),
        "hosts__name_": ("pages/hosts/_name_.py",),
    },
    "an __init__ of a package": {
        "index": ("lib/__init__.py",),
        "orders": ("lib/orders/__init__.py",),
        "report": ("lib/reports/__init__.py",),
        "pay__how_": ("lib/pay/__init__.py",),
    },
    "a data file": {
        "index": ("data/products.json",),
        "search": ("lib/stopwords.txt",),
        "orders": ("lib/orders/mail.txt",),
        "settings": ("lib/config.yaml",),
        "terms": ("texts/terms.txt",),
    },
    "one file of a folder that is loaded from": {
        "letters__kind_": ("lib/letters_texts/welcome.txt", "lib/letters_texts/farewell.txt"),
    },
    "one file of those that fit a pattern": {
        "notes": ("lib/notes_texts/one.txt", "lib/notes_texts/two.txt"),
    },
    "a module of a distribution that a page imports": {
        "index": ("jinja2/utils.py", "markupsafe/_native.py"),
        "letters__kind_": ("jinja2/lexer.py",),
        "settings": ("yaml/loader.py",),
        "orders": ("orjson/__init__.py",),
    },
    "a module of a distribution that is imported in a function": {
        "hosts__name_": ("idna/core.py", "idna/uts46data.py"),
        "rates": ("requests/api.py", "urllib3/util/retry.py", "charset_normalizer/legacy.py"),
        "index": ("jinja2/debug.py",),
    },
    "a shared object": {
        "orders": (f"orjson/orjson.{TAG}-x86_64-linux-gnu.so",),
        "index": (f"markupsafe/_speedups.{TAG}-x86_64-linux-gnu.so",),
        "settings": (f"yaml/_yaml.{TAG}-x86_64-linux-gnu.so",),
    },
    "metadata or data of a distribution": {
        "version": ("orjson.dist-info/METADATA",),
        "index": ("jinja2.dist-info/entry_points.txt",),
        "rates": ("certifi/cacert.pem",),
    },
    "bytecode, which is there instead of sources": {
        "products__id_ (bytecode)": ("lib/catalogue.pyc", "lib/locales.pyc"),
        "search (bytecode)": ("lib/stemmer.pyc",),
        "orders (bytecode)": ("lib/orders/__init__.pyc", "lib/orders/smtp.pyc"),
        "index (bytecode)": ("jinja2/utils.pyc", "site_templates/layouts_base_jinja.pyc"),
    },
}
NOT_FOUND = {"lib/notes_texts/one.txt", "lib/notes_texts/two.txt"}
"""Which files there should be is only known when the function runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A function with one file less than it needs."""

    kind: str
    function: str
    name: str


CASES = tuple(
    Lack(kind=kind, function=function, name=name)
    for kind, functions in LACKS.items()
    for function, names in functions.items()
    for name in names
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[BuiltFunction, Build]]:
    """Return the functions of the site by name, and those of bytecode alone."""
    found: dict[str, tuple[BuiltFunction, Build]] = {}
    for options, suffix in (("", ""), ('bytecode = "only"', " (bytecode)")):
        root = tmp_path_factory.mktemp("site")
        for path in (path for path in SITE.rglob("*") if path.is_file()):
            place = root / path.relative_to(SITE)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
        with (root / "pyproject.toml").open("a") as file:
            file.write(f"\n[tool.routelet.adapters.aws-lambda]\n{options}\n")
        result = build(root)
        found |= {f"{one.name}{suffix}": (one, result) for one in result.functions}
    return found


def checks(
    built: Mapping[str, tuple[BuiltFunction, Build]], folder: Path
) -> list[tuple[Lack, Check]]:
    found = []
    for number, lack in enumerate(CASES):
        one, result = built[lack.function]
        whole = result.out_dir / "functions" / one.zip.path.name
        lacking = folder / f"{number}.zip"
        write_without(whole, lacking, lack.name)
        packed = replace(one.zip, path=lacking, sha256=f"sabotaged {number}")
        page = one.function.pages[0]
        route = Route(f"/{number}", page.route.pattern, component=page.route.component)
        function = replace(
            one.function, pages=(replace(page, route=route),), traced=moved(one, result.out_dir)
        )
        found.append((lack, Check(function=function, packed=packed, adapter="aws-lambda")))
    return found


def moved(one: BuiltFunction, out_dir: Path) -> Traced:
    """Return what was traced, with generated sources where they are once the build is done."""
    files = (
        file if file.source.is_file() else replace(file, source=out_dir / file.archive)
        for file in one.function.traced.files
    )
    return replace(one.function.traced, files=tuple(files))


def write_without(whole: Path, lacking: Path, name: str) -> None:
    """Write a zip again without a file, and without the bytecode beside it."""
    folder, _, file = name.rpartition("/")
    cached = f"{folder}/__pycache__/{file.removesuffix('.py')}.{TAG}.pyc"
    gone = 0
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(lacking, "w") as new:
        for info in old.infolist():
            distribution, _, rest = info.filename.partition("-")
            is_info = name.startswith(f"{distribution}.dist-info/")
            plain = f"{distribution}.dist-info/{rest.partition('/')[2]}" if is_info else ""
            if info.filename in {name, cached} or plain == name:
                gone += info.filename != cached
            else:
                new.writestr(info, old.read(info))
    assert gone == 1, f"{name} is not in {whole}"


def test_a_zip_that_lacks_a_file_is_found(
    built: Mapping[str, tuple[BuiltFunction, Build]], tmp_path: Path
) -> None:
    sabotaged = checks(built, tmp_path)
    assert len(sabotaged) >= 60
    with pytest.raises(RouteletError) as raised:
        verify([check for _, check in sabotaged], Cache(tmp_path / "cache"), 2, lambda *_: None)
    errors = [error.what for error in (raised.value, *raised.value.others)]
    missed = [
        lack
        for number, (lack, _) in enumerate(sabotaged)
        if not any(f" of /{number} " in what for what in errors)
    ]
    assert {lack.name for lack in missed} == NOT_FOUND
    assert len(missed) <= len(sabotaged) * 0.05
