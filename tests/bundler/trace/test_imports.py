"""What one Python source imports, and what cannot be known of it."""

import ast

import pytest

from routelet_bundler.trace.imports import Import, Imports, imports_of


def scan(text: str, python: str = "3.12") -> Imports:
    return imports_of(ast.parse(text), text, python)


def names(text: str) -> list[str]:
    return [found.module for found in scan(text).imports]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a.b", Import(module="a.b", line=1)),
        ("from a import b, c", Import(module="a", names=("b", "c"), line=1)),
        ("from . import b", Import(module="", names=("b",), level=1, line=1)),
        ("from ..a import *", Import(module="a", names=("*",), level=2, line=1)),
        ("\nfrom a import b", Import(module="a", names=("b",), line=2)),
        ("__import__('a')", Import(module="a", is_dynamic=True, line=1)),
        (
            "importlib.import_module('.a', 'p')",
            Import(module="a", level=1, package="p", is_dynamic=True, line=1),
        ),
        (
            "importlib.import_module('.a', package='p')",
            Import(module="a", level=1, package="p", is_dynamic=True, line=1),
        ),
        (
            "importlib.import_module('.a', __package__)",
            Import(module="a", level=1, is_dynamic=True, line=1),
        ),
        ("importlib.import_module('a.' + 'b')", Import(module="a.b", is_dynamic=True, line=1)),
        (
            "importlib.import_module('a.' + x)",
            Import(module="a.*", is_pattern=True, is_dynamic=True, line=1),
        ),
        (
            "importlib.import_module(f'a.b_{x}')",
            Import(module="a.b_*", is_pattern=True, is_dynamic=True, line=1),
        ),
        (
            "runpy.run_module('a')",
            Import(module="a", names=("__main__",), is_dynamic=True, line=1, runs=True),
        ),
        ("files('a.b')", Import(module="a.b", guarded=True, line=1)),
        (
            "lazy.attach(__name__, ['a'], submod_attrs={'b': ['c']})",
            Import(module="", names=("a", "b"), level=1, line=1),
        ),
        ("lazy.attach(__name__, submodules=None)", Import(module="", level=1, line=1)),
    ],
)
def test_forms_of_import(text: str, expected: Import) -> None:
    assert scan(text).imports == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "import importlib as il\nil.import_module('a')",
        "from importlib import import_module\nimport_module('a')",
        "from importlib import import_module as load\nload('a')",
        "from runpy import run_module as go\ngo('a')",
    ],
)
def test_importers_are_known_by_the_name_that_a_source_gives_them(text: str) -> None:
    assert names(text)[-1] == "a"


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import a\nexcept ImportError:\n    pass",
        "try:\n    import a\nexcept (KeyError, ModuleNotFoundError):\n    pass",
        "try:\n    import a\nexcept Exception:\n    pass",
        "try:\n    import a\nexcept:\n    pass",
        "try:\n    import a\nexcept* ImportError:\n    pass",
        "with suppress(ImportError):\n    import a",
        "with contextlib.suppress(KeyError, ModuleNotFoundError):\n    import a",
        "try:\n    __import__('a')\nexcept ImportError:\n    pass",
    ],
)
def test_an_import_that_may_fail_is_guarded(text: str) -> None:
    assert [found.guarded for found in scan(text).imports] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import a\nexcept KeyError:\n    pass",
        "try:\n    pass\nexcept ImportError:\n    import a",
        "try:\n    pass\nfinally:\n    import a",
        "with open('x'):\n    import a",
        "def f():\n    import a",
    ],
)
def test_an_import_that_must_not_fail_is_not_guarded(text: str) -> None:
    assert [found.guarded for found in scan(text).imports] == [False]


def test_branches_that_the_target_does_not_take_import_nothing() -> None:
    text = (
        "if sys.version_info < (3, 11):\n    import old\nelif x:\n    import a\nelse:\n    import b"
    )
    assert names(text) == ["a", "b"]
    assert [found.module for found in scan(text, "3.10").imports] == ["old"]


def test_text_that_only_looks_like_an_import_is_none() -> None:
    assert names('"""import a"""\n# import b\nx = "import c"') == []


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("importlib.import_module(name)", "importlib.import_module(name)"),
        ("\n__import__(f'{x}.y')", "__import__(f'{x}.y')"),
        ("lazy.attach(__name__, MODULES)", "lazy.attach(__name__, MODULES)"),
    ],
)
def test_an_import_that_is_only_known_when_it_runs_is_told_with_its_line(
    text: str, expression: str
) -> None:
    (unknown,) = scan(text).unknown
    assert (unknown.expression, unknown.line) == (expression, text.count("\n") + 1)


def test_strings_that_could_name_a_module_are_noted_with_their_lines() -> None:
    found = scan("A = ['p.m.Class',\n '.rel', 'plain', 'not a.name', 'x.1', '1.5']").strings
    assert found == (("p.m.Class", 1), (".rel", 2))


def test_templates_that_a_page_renders_are_noted_with_their_lines() -> None:
    text = "def GET(ctx):\n    return ctx.render('layouts/a.jinja', x=render('b.txt'))"
    assert scan(text).templates == (("layouts/a.jinja", 2),)


def test_what_a_package_exports_is_read_from_all_statements() -> None:
    text = "__all__ = ['a', x]\n__all__ += ('b',)\n__all__: list = ['c']\n__all__ = other"
    assert scan(text).exported == ("a", "b", "c")
