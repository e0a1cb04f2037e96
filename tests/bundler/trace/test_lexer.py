"""What a scan of the tokens finds, against what the parser finds."""

import ast
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from routelet_bundler.conditions import truth_of
from routelet_bundler.trace.lexer import Found, lexed

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def strengths(source: str) -> dict[str, str]:
    return {found.module: found.strength for found in lexed(source, "3.12").imports}


class TestStrengths:
    def test_a_statement_of_the_module_is_hard(self) -> None:
        assert strengths("import a\nif x:\n    import b\nclass C:\n    import c\n") == {
            "a": "hard",
            "b": "hard",
            "c": "hard",
        }

    def test_one_in_a_function_is_of_the_function(self) -> None:
        source = "async def f(\n    x,\n):\n    with x:\n        import a\n"
        assert strengths(source) == {"a": "function"}

    @pytest.mark.parametrize(
        "source",
        [
            "try:\n    import a\nexcept ImportError:\n    a = None\n",
            "try:\n    x = 1\n    import a\nexcept ValueError:\n    pass\nexcept:\n    pass\n",
            "try: import a\nexcept (KeyError, ModuleNotFoundError): pass\n",
            "def f():\n    try:\n        import a\n    except Exception as e:\n        raise X\n",
            "with contextlib.suppress(ImportError):\n    import a\n",
        ],
    )
    def test_one_where_a_missing_module_is_expected_is_guarded(self, source: str) -> None:
        assert strengths(source) == {"a": "guarded"}

    @pytest.mark.parametrize(
        "source",
        [
            "try:\n    import a\nexcept KeyError:\n    pass\n",
            "try:\n    x\nexcept ImportError:\n    import a\n",
            "try:\n    x\nfinally:\n    pass\ntry:\n    import a\nfinally:\n    pass\n",
        ],
    )
    def test_other_handlers_do_not_guard(self, source: str) -> None:
        assert strengths(source) == {"a": "hard"}

    @pytest.mark.parametrize(
        "source",
        [
            'import_module("a")',
            "__import__('a')",
            'x = importlib.import_module(\n    "a"\n)',
            'import_optional_dependency("a", errors="raise")',
        ],
    )
    def test_a_literal_that_is_imported_is_a_string(self, source: str) -> None:
        assert strengths(source) == {"a": "string"}


class TestConditions:
    @pytest.mark.parametrize(
        "source",
        [
            "if TYPE_CHECKING:\n    import a\n",
            "if TYPE_CHECKING: import a\n",
            "if sys.version_info < (3, 11):\n    import a\n",
            "if sys.platform == 'win32':\n    import a\nelse:\n    pass\n",
            "if sys.version_info >= (3, 11):\n    pass\n# why\nelse:\n    import a\n",
            "if not t.TYPE_CHECKING:\n    pass\nelif x:\n    pass\nelse:\n    import a\n",
        ],
    )
    def test_what_the_target_does_not_run_is_left_out(self, source: str) -> None:
        assert strengths(source) == {}

    @pytest.mark.parametrize(
        "source",
        [
            "if TYPE_CHECKING:\n    pass\nelse:\n    import a\n",
            "if sys.version_info >= (3, 12, 4):\n    pass\nelse:\n    import a\n",
            "for x in y:\n    pass\nelse:\n    import a\n",
            'def f():\n    """\nif TYPE_CHECKING:\n    """\n    import a\n',
        ],
    )
    def test_all_else_stays(self, source: str) -> None:
        assert strengths(source).keys() == {"a"}


class TestNames:
    def test_relative_and_listed_names_are_as_they_are_written(self) -> None:
        source = "from ..a . b import (\n    c as d,  # (why)\n    e,\n)\nfrom . import *\n"
        assert lexed(source, "3.12").imports == (
            Found(module="a.b", names=("c", "e"), level=2, strength="hard"),
            Found(module="", names=("*",), level=1, strength="hard"),
        )

    def test_lines_go_on(self) -> None:
        source = "import a, \\\n    b as c; import d\nfrom e \\\n import f\n"
        assert strengths(source).keys() == {"a", "b", "d", "e"}

    @pytest.mark.parametrize(
        ("source", "prefix"),
        [
            ('import_module(f"a.b_{x}")', "a.b_"),
            ('__import__("a.%s" % x)', "a."),
            ('import_module("a." + x)', "a."),
            ('import_module("a.{}".format(x))', "a."),
        ],
    )
    def test_a_name_may_be_known_to_begin_so(self, source: str, prefix: str) -> None:
        (found,) = lexed(source, "3.12").imports
        assert (found.module, found.is_prefix) == (prefix, True)

    def test_what_is_in_strings_and_comments_is_no_import(self) -> None:
        source = "'''\nimport a\n'''\n# import b\nx = 'it\\'s\\\nimport c'\n\"\\\"\\nimport d\"\n"
        assert lexed(source, "3.12").imports == ()

    def test_strings_that_could_name_a_module_are_told(self) -> None:
        source = "x = 'a.b:C', \".m\", 'word', 'two words', 'a/b', b'raw'\n"
        assert lexed(source, "3.12").strings == {"a.b:C", ".m", "word", "raw"}

    def test_a_name_that_is_only_known_when_it_runs_is_told(self) -> None:
        assert lexed("import_module(name)", "3.12").is_dynamic
        assert not lexed("import_module('a')", "3.12").is_dynamic


class _Parsed(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: set[tuple[int, str, tuple[str, ...]]] = set()

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, ast.expr):
            super().generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {(0, alias.name, ()) for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = tuple(alias.name for alias in node.names)
        self.found.add((node.level, node.module or "", names))

    def visit_If(self, node: ast.If) -> None:
        truth = truth_of(node.test, PYTHON)
        for part in (node.body if truth is not False else []) + (
            node.orelse if truth is not True else []
        ):
            self.visit(part)


def sources() -> Iterator[Path]:
    """Yield some 300 files of the standard library and of what is installed here."""
    for name in ("stdlib", "purelib"):
        files = sorted(Path(sysconfig.get_path(name)).rglob("*.py"))
        yield from files[:: max(1, len(files) // 150)]


def test_no_import_that_the_parser_finds_is_missed() -> None:
    compared, more = 0, []
    for path in sources():
        try:
            text = path.read_text("utf-8")
            tree = ast.parse(text)
        except (UnicodeDecodeError, SyntaxError, ValueError):
            continue
        parsed = _Parsed()
        parsed.visit(tree)
        found = {
            (one.level, one.module, one.names)
            for one in lexed(text, PYTHON).imports
            if one.strength != "string"
        }
        assert parsed.found <= found, path
        compared += 1
        more += [path] if found - parsed.found else []
    assert compared > 200
    assert len(more) < compared / 100, more


def test_a_form_feed_before_a_statement_is_space() -> None:
    assert strengths("\x0cimport yaml\n") == {"yaml": "hard"}
