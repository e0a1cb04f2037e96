"""What is reached, what is missing, and what a route's configuration adds or takes away."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import RouteConfig, Traced

Trace = Callable[..., Traced]
Installed = Any


def config(**values: list[str]) -> RouteConfig:
    return RouteConfig.model_validate(values)


def reached(traced: Traced) -> set[str]:
    return {file.archive for file in traced.files}


def packed(traced: Traced) -> set[str]:
    return {one.name for one, _ in traced.distributions}


def refused(trace: Trace, *args: Any, **options: Any) -> RouteletError:
    with pytest.raises(RouteletError) as caught:
        trace(*args, **options)
    return caught.value


class TestMissing:
    def test_an_import_that_nothing_provides_is_told_with_line_and_chain(
        self, trace: Trace
    ) -> None:
        error = refused(
            trace,
            {
                "main.py": "import lib.a\n",
                "lib/a.py": "from lib import b\n",
                "lib/b.py": "\nimport nothere.deep\n",
            },
        )
        assert error.what == "imports nothere.deep, which no dependency provides"
        assert error.where == "src/lib/b.py:2"
        assert "add the distribution that has nothere to dependencies" in error.mend
        assert error.mend.endswith("(imported by src/lib/b.py <- src/lib/a.py <- src/main.py)")

    def test_several_names_from_one_missing_module_are_told_once(self, trace: Trace) -> None:
        error = refused(trace, {"main.py": "from nothere import a, b\n"})
        assert (error.what, error.others) == ("imports nothere, which no dependency provides", ())

    def test_all_missing_imports_are_told_at_once(self, trace: Trace) -> None:
        error = refused(trace, {"main.py": "import one\nimport two\n"})
        assert [one.where for one in (error, *error.others)] == ["src/main.py:1", "src/main.py:2"]

    def test_a_module_that_is_not_in_a_local_package_is_told(self, trace: Trace) -> None:
        error = refused(trace, {"main.py": "import p.gone\n", "p/__init__.py": ""})
        assert error.what == "imports p.gone, which is not in the site"

    def test_a_name_from_a_folder_without_init_has_to_be_a_module(self, trace: Trace) -> None:
        error = refused(trace, {"main.py": "from lib import a, gone\n", "lib/a.py": ""})
        assert error.what == "imports lib.gone, which is not in the site"

    def test_a_portion_of_a_namespace_that_is_not_installed_is_told(
        self, trace: Trace, installed: Installed
    ) -> None:
        installed.add("ns-a", {"ns/a/__init__.py": ""})
        error = refused(trace, {"main.py": "from ns import a, gone\n"})
        assert error.what == "imports ns.gone, which no dependency provides"

    def test_a_relative_import_of_nothing_is_told(self, trace: Trace) -> None:
        error = refused(trace, {"main.py": "import p.a\n", "p/a.py": "from .gone import x\n"})
        assert error.where == "src/p/a.py:1"

    @pytest.mark.parametrize("name", ["nothere", "p.gone"])
    def test_a_guarded_import_of_a_missing_module_is_fine(self, trace: Trace, name: str) -> None:
        source = f"try:\n    import {name}\nexcept ImportError:\n    pass\n"
        traced = trace({"main.py": source, "p/__init__.py": ""})
        assert reached(traced) >= {"main.py"}

    def test_a_guarded_name_of_a_folder_may_be_missing(self, trace: Trace) -> None:
        source = "try:\n    from lib import gone\nexcept ImportError:\n    pass\n"
        assert reached(trace({"main.py": source, "lib/a.py": ""})) == {"main.py"}

    def test_a_template_that_is_not_there_is_told_with_its_line(self, trace: Trace) -> None:
        source = "def GET(ctx):\n    return ctx.render('layouts/gone.jinja')\n"
        error = refused(trace, {"main.py": source})
        assert error.what == 'renders "layouts/gone.jinja", which is not there'
        assert error.where == "src/main.py:2"

    def test_a_source_with_a_syntax_error_is_told_with_its_line(self, trace: Trace) -> None:
        error = refused(trace, {"main.py": "import a\n", "a.py": "\ndef f(:\n"})
        assert error.where == "src/a.py:2"

    def test_a_source_that_is_no_text_is_told(self, trace: Trace) -> None:
        error = refused(trace, {"main.py": "import a\n", "a.py": b"x = '\xff'\n"})
        assert error.where == "src/a.py"
        assert "no UTF-8" in error.what


class TestReached:
    def test_a_rendered_template_brings_its_module_and_the_environment(self, trace: Trace) -> None:
        traced = trace(
            {
                "main.py": "def GET(ctx):\n    return ctx.render('a.jinja')\n",
                "site_templates/__init__.py": "",
                "site_templates/environment.py": (
                    "from importlib import import_module\n"
                    "def load(name):\n    return import_module(__package__ + '.' + name)\n"
                ),
                "site_templates/a_jinja.py": "",
                "site_templates/b_jinja.py": "",
            },
            templates={"a.jinja": "a_jinja", "b.jinja": "b_jinja"},
        )
        assert reached(traced) == {
            "main.py",
            "site_templates/__init__.py",
            "site_templates/environment.py",
            "site_templates/a_jinja.py",
        }

    def test_every_file_has_the_reason_it_is_there(self, trace: Trace) -> None:
        traced = trace(
            {
                "main.py": "\nfrom lib import a\n",
                "lib/a.py": "from pathlib import Path\nopen(Path(__file__).parent / 'd.txt')\n",
                "lib/d.txt": "",
            }
        )
        assert {file.archive: str(file.reason) for file in traced.files} == {
            "main.py": "entry",
            "lib/a.py": "import by main.py:2",
            "lib/d.txt": "data by lib/a.py:2",
        }

    def test_several_starts_are_traced_together(self, trace: Trace) -> None:
        traced = trace({"a.py": "import c\n", "b.py": "", "c.py": "", "d.py": ""}, "a", "b")
        assert reached(traced) == {"a.py", "b.py", "c.py"}

    def test_modules_that_import_each_other_end(self, trace: Trace) -> None:
        assert reached(trace({"main.py": "import a\n", "a.py": "import main\n"})) == {
            "main.py",
            "a.py",
        }

    def test_a_source_that_is_named_as_a_file_is_followed(self, trace: Trace) -> None:
        source = "from pathlib import Path\nimport runpy\n"
        source += "runpy.run_path(str(Path(__file__).parent / 'jobs' / 'one.py'))\n"
        files = {"main.py": source, "jobs/one.py": "import helper\n", "helper.py": ""}
        assert reached(trace(files)) == set(files)

    def test_a_folder_of_data_brings_no_litter_and_a_name_does(self, trace: Trace) -> None:
        litter = ("d/.env", "d/.git/config", "d/x.txt~", "d/.x.swp", "d/sub/.DS_Store")
        source = "from pathlib import Path\nHERE = Path(__file__).parent\nHERE / 'd' / x\n"
        files = dict.fromkeys(("d/x.txt", "d/sub/y.txt", *litter), "")
        assert reached(trace({"main.py": source, **files})) == {
            "main.py",
            "d/x.txt",
            "d/sub/y.txt",
        }
        named = source + "open(HERE / 'd' / '.env')\n"
        assert "d/.env" in reached(trace({"main.py": named, **files}))

    @pytest.mark.parametrize("name", ["email", "yaml"])
    def test_a_folder_without_init_gives_way_to_a_package_of_its_name(
        self, trace: Trace, installed: Installed, name: str
    ) -> None:
        installed.add("PyYAML", {"yaml/__init__.py": ""})
        files = {"main.py": f"import {name}.nodes\n", f"{name}/welcome.py": "", "email.txt": ""}
        traced = trace(files)
        assert reached(traced) == {"main.py"}
        assert packed(traced) == ({"pyyaml"} if name == "yaml" else set())

    def test_a_module_of_the_site_comes_before_one_of_the_standard_library(
        self, trace: Trace
    ) -> None:
        assert "email.py" in reached(trace({"main.py": "import email\n", "email.py": ""}))

    def test_a_local_extension_is_reached_and_never_parsed(self, trace: Trace) -> None:
        name = "p/ext.cpython-311-x86_64-linux-gnu.so"
        traced = trace({"main.py": "from p.ext import *\n", "p/__init__.py": "", name: b"\x7fELF"})
        assert name in reached(traced)


UNKNOWN = "import importlib\nimportlib.import_module(name)\n"


class TestUnknown:
    def test_an_import_that_cannot_be_analysed_is_told_with_its_line(self, trace: Trace) -> None:
        error = refused(trace, {"main.py": UNKNOWN})
        assert error.what == "importlib.import_module(name) is only known when it runs"
        assert error.where == "src/main.py:2"
        assert "# routelet: include" in error.mend

    def test_each_line_is_told(self, trace: Trace) -> None:
        error = refused(trace, {"main.py": UNKNOWN + "importlib.import_module(name)\n"})
        assert [one.where for one in (error, *error.others)] == ["src/main.py:2", "src/main.py:3"]

    @pytest.mark.parametrize("call", ["ctx.render(name)", "collection(name)"])
    def test_a_template_and_a_collection_without_a_known_name_are_told(
        self, trace: Trace, call: str
    ) -> None:
        source = f"from routelet.content import collection\n\ndef GET(ctx):\n    {call}\n"
        files = {"main.py": source, "routelet/__init__.py": "", "routelet/content.py": ""}
        assert refused(trace, files).where == "src/main.py:4"

    @pytest.mark.parametrize("pattern", ["lib/a.py", "lib/*.py", "driver"])
    def test_include_that_names_modules_settles_it(
        self, trace: Trace, installed: Installed, pattern: str
    ) -> None:
        installed.add("driver", {"driver.py": ""})
        traced = trace({"main.py": UNKNOWN, "lib/a.py": ""}, config=config(include=[pattern]))
        assert (reached(traced) | packed(traced)) - {"main.py"} in ({"lib/a.py"}, {"driver"})

    def test_include_of_data_alone_does_not(self, trace: Trace) -> None:
        files = {"main.py": UNKNOWN, "data/x.json": ""}
        assert refused(trace, files, config=config(include=["data/*"])).where == "src/main.py:2"

    def test_a_comment_brings_distributions_along(self, trace: Trace, installed: Installed) -> None:
        installed.add("My_Driver", {"driver.py": ""})
        source = UNKNOWN.replace("(name)", "(name)  # routelet: include my-driver")
        assert packed(trace({"main.py": source})) == {"my-driver"}

    def test_a_file_of_the_sites_folder_that_no_function_has_is_warned_of(
        self, trace: Trace, tmp_path: Path
    ) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data/x.json").touch()
        traced = trace({"main.py": "open('data/x.json')\nopen('data/gone.json')\n"})
        (warning,) = traced.warnings
        assert warning.startswith("src/main.py:1: data/x.json is in the site's folder and not in")


LIBRARY = {
    "main.py": "import lib.a\n",
    "lib/a.py": "",
    "lib/b.py": "import lib.c\n",
    "lib/c.py": "",
    "data/x.json": "",
    "data/deep/y.json": "",
}


class TestIncludeAndExclude:
    @pytest.mark.parametrize(
        ("pattern", "added"),
        [
            ("data/x.json", {"data/x.json"}),
            ("src/data/x.json", {"data/x.json"}),
            ("./data/x.json", {"data/x.json"}),
            ("data/**", {"data/x.json", "data/deep/y.json"}),
            ("*.json", {"data/x.json", "data/deep/y.json"}),
            ("lib/b.py", {"lib/b.py", "lib/c.py"}),
        ],
    )
    def test_include_adds_files_and_follows_sources(
        self, trace: Trace, pattern: str, added: set[str]
    ) -> None:
        traced = trace(LIBRARY, config=config(include=[pattern]))
        assert reached(traced) == {"main.py", "lib/a.py", *added}
        assert not traced.warnings

    @pytest.mark.parametrize("name", ["My.Driver", "my-driver", "my_driver"])
    def test_include_adds_a_distribution_by_any_spelling(
        self, trace: Trace, installed: Installed, name: str
    ) -> None:
        installed.add("My_Driver", {"driver.py": ""}, requires=["other"])
        installed.add("other", {"other.py": ""})
        traced = trace(LIBRARY, config=config(include=[name]))
        assert packed(traced) == {"my-driver", "other"}
        assert not traced.warnings

    def test_include_that_matches_nothing_warns(self, trace: Trace) -> None:
        traced = trace(LIBRARY, config=config(include=["gone/**"]))
        assert traced.warnings == ('include = "gone/**" matches no file and no distribution',)

    def test_exclude_leaves_files_and_what_only_they_import_out(self, trace: Trace) -> None:
        files = {**LIBRARY, "main.py": "import lib.a, lib.b\n"}
        traced = trace(files, config=config(exclude=["lib/b.py"]))
        assert reached(traced) == {"main.py", "lib/a.py"}

    def test_exclude_is_stronger_than_include(self, trace: Trace) -> None:
        traced = trace(LIBRARY, config=config(include=["data/**"], exclude=["src/data/deep/*"]))
        assert reached(traced) == {"main.py", "lib/a.py", "data/x.json"}

    def test_exclude_leaves_a_distribution_and_what_only_it_requires_out(
        self, trace: Trace, installed: Installed
    ) -> None:
        installed.add("Big_One", {"big.py": ""}, requires=["only-big", "shared"])
        installed.add("only-big", {"only_big.py": ""})
        installed.add("small", {"small.py": ""}, requires=["shared"])
        installed.add("shared", {"shared.py": ""})
        source = {"main.py": "import big, small\n"}
        assert packed(trace(source)) == {"big-one", "only-big", "small", "shared"}
        traced = trace(source, config=config(exclude=["big_one"]))
        assert packed(traced) == {"small", "shared"}


PACKAGE = {"lib/__init__.py": "import lib.b\n", "lib/b.py": "", "lib/p/__init__.py": ""}


class TestIncludedModules:
    def test_they_come_with_the_packages_above_them(self, trace: Trace) -> None:
        files = {**PACKAGE, "main.py": "", "lib/p/a.py": ""}
        traced = trace(files, config=config(include=["lib/p/*.py"]))
        assert reached(traced) == {*files}

    def test_those_that_a_comment_includes_do_as_well(self, trace: Trace) -> None:
        files = {**PACKAGE, "main.py": "# routelet: include lib/p/a.py\n", "lib/p/a.py": ""}
        assert reached(trace(files)) == {*files}

    def test_what_they_lack_is_told_at_their_line(self, trace: Trace) -> None:
        files = {"main.py": "", "lib/a.py": "import nothere\n"}
        error = refused(trace, files, config=config(include=["lib/*.py"]))
        assert (error.what, error.where) == (
            "imports nothere, which no dependency provides",
            "src/lib/a.py:1",
        )

    @pytest.mark.parametrize("pattern", ["src/", "./", ".", ""])
    def test_the_sources_as_a_whole_are_no_file(self, trace: Trace, pattern: str) -> None:
        traced = trace({"main.py": "", "x.py": ""}, config=config(include=[pattern]))
        assert reached(traced) == {"main.py"}
        assert any("matches no file" in warning for warning in traced.warnings)


class TestRelativeImports:
    @pytest.mark.parametrize("dots", ["...", ".......", "...."])
    def test_one_above_the_top_package_is_refused_as_python_does(
        self, trace: Trace, dots: str
    ) -> None:
        files = {
            "main.py": "import a.b.m\n",
            "x.py": "y = 1\n",
            "a/__init__.py": "",
            "a/b/__init__.py": "",
            "a/b/m.py": f"from {dots}x import y\n",
        }
        error = refused(trace, files)
        assert error.what == f"imports {dots}x, above its top-level package"
        assert error.where == "src/a/b/m.py:1"


def test_many_names_of_many_folders_are_not_all_tried(trace: Trace) -> None:
    names = [f"n{number}" for number in range(150)]
    source = (
        f"import os\nNAMES = {names}\nfor a in NAMES:\n    for b in NAMES:\n"
        "        for c in NAMES:\n            open(os.path.join(a, b, c))\n"
    )
    assert reached(trace({"main.py": source, "n1/n2/n3": "x"})) == {"main.py"}
