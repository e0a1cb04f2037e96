"""Paths that a source names, known without running it."""

import ast

import pytest

from routelet_bundler.trace.data_files import data_paths


def paths(text: str, archive: str = "lib/mod.py") -> list[str]:
    found = data_paths(ast.parse(text), text, archive)
    return [one.path for one in found if one.is_inside]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Path(__file__).parent / 'x.json'", "lib/x.json"),
        ("Path(__file__).resolve().parent / 'd' / 'x.json'", "lib/d/x.json"),
        ("pathlib.Path(__file__).parents[1] / 'd/x.json'", "d/x.json"),
        ("Path(__file__).parent.joinpath('d', 'x.json')", "lib/d/x.json"),
        ("Path(__file__).with_name('x.json')", "lib/x.json"),
        ("Path(__file__).with_suffix('.json')", "lib/mod.json"),
        ("open(os.path.join(os.path.dirname(__file__), 'x.json'))", "lib/x.json"),
        ("open(os.path.dirname(os.path.abspath(__file__)) + '/x.json')", "lib/x.json"),
        ("os.path.join(os.path.dirname(__file__), '..', 'x.json')", "x.json"),
        ("(Path(__file__).parent / 'd').glob('*.json')", "lib/d/*.json"),
        ("(Path(__file__).parent / 'd').rglob('*.json')", "lib/d/*.json"),
        ("Path(__file__).parent.rglob('*.json')", "lib/*.json"),
        ("Path(__file__).parent.glob('**/*.json')", "lib/*.json"),
        ("open('x.json')", "x.json"),
        ("Path('d') / 'x.json'", "d/x.json"),
        ("(Path(__file__).parent / 'd').iterdir()", "lib/d/*"),
        ("Path(__file__).parent / 'd' / name", "lib/d/*"),
        ("Path(__file__).parent / f'd/{name}.json'", "lib/d/*.json"),
        ("files('pkg.data').joinpath('x.json')", "pkg/data/x.json"),
        ("importlib.resources.files('pkg') / 'x.json'", "pkg/x.json"),
        ("files(__package__).joinpath('x.json')", "lib/x.json"),
        ("pkgutil.get_data('pkg', 'd/x.json')", "pkg/d/x.json"),
        ("pkgutil.get_data(__name__, 'x.json')", "lib/x.json"),
        ("resources.read_text('pkg', 'x.json')", "pkg/x.json"),
        ("jinja2.PackageLoader('pkg')", "pkg/templates"),
        ("PackageLoader('pkg', 'views')", "pkg/views"),
        ("lazy.attach_stub(__name__, __file__)", "lib/mod.pyi"),
    ],
)
def test_forms_of_naming_a_file(text: str, expected: str) -> None:
    assert paths(text) == [expected]


def test_names_that_are_set_once_are_followed() -> None:
    text = "HERE = Path(__file__).parent\nDATA: Path = HERE / 'd'\nopen(DATA / 'x.json')"
    assert paths(text) == ["lib/d", "lib/d/x.json"]


def test_a_name_that_is_set_twice_stands_for_both() -> None:
    text = "p = Path(__file__).parent / 'a'\nif x:\n    p = Path(__file__).parent / 'b'\n"
    assert paths(text + "open(p / 'x.json')") == ["lib/a", "lib/a/x.json", "lib/b", "lib/b/x.json"]


def test_names_that_stand_for_each_other_end() -> None:
    assert paths("a = b / 'x'\nb = a / 'y'") == []


@pytest.mark.parametrize(
    "text",
    [
        "Path(__file__).parent",
        "Path(__file__).parent / name",
        "Path(__file__).parent.iterdir()",
        "Path(__file__).parent.parent",
        "Path(__file__).parent.parent.parent / 'x.json'",
        "os.path.join(os.path.dirname(__file__), '..', '..', 'x')",
        "open('x.json', 'w')",
        "open('/tmp/x.json')",
        "Path(name) / 'x.json'",
        "files(package) / 'x.json'",
        "re.compile('x') / 2",
    ],
)
def test_own_folder_those_above_and_unknown_places_are_no_data(text: str) -> None:
    assert paths(text) == []


def test_each_path_has_the_line_that_names_it() -> None:
    text = "import x\n\nopen(Path(__file__).parent / 'd.txt')"
    (found,) = data_paths(ast.parse(text), text, "m.py")
    assert (found.path, found.line) == ("d.txt", 3)
