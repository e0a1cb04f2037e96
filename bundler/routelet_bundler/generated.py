"""Python source that a build writes, from the templates in `routelet_templates/function/`."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import isfinite

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound

PACKAGE = "site_templates"
"""The package of all generated modules."""


def module_of(name: str) -> str:
    """Return the module of a template: `layouts/post.jinja` is `layouts_post_jinja`.

    The generated package finds templates by this rule too.
    """
    return re.sub("[^A-Za-z0-9_]", "_", name)


class PackageDataLoader(BaseLoader):
    """Reads `routelet_templates`, from a wheel or from an editable install alike."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, None]:  # noqa: ARG002
        """Return the text of a template."""
        return read_template(template), None, None


def read_template(name: str) -> str:
    """Return the text of a file of `routelet_templates`; raises `TemplateNotFound`."""
    resource = files("routelet_templates").joinpath(*name.split("/"))
    if not resource.is_file():
        raise TemplateNotFound(name)
    return resource.read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(  # noqa: S701 - it writes Python, where escaping is `repr`
        loader=PackageDataLoader(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["repr"] = _repr
    environment.filters["docstring"] = _docstring
    environment.filters["literal"] = _literal
    return environment


def python_source(template: str, **values: object) -> str:
    """Return the text of `function/TEMPLATE` with these values."""
    return _environment().get_template(f"function/{template}").render(values)


def _repr(value: object) -> str:
    """Return source of `value`, which may hold numbers that `repr` gives no source of."""
    match value:
        case dict():
            return f"{{{', '.join(f'{_repr(key)}: {_repr(one)}' for key, one in value.items())}}}"
        case list():
            return f"[{', '.join(map(_repr, value))}]"
        case float() if not isfinite(value):
            return f'float("{value}")'
    return repr(value)


def _literal(value: Mapping[str, object]) -> str:
    """Return source of a table, a key on each line, and each of many values.

    `pprint` takes ten times as long, which 10,000 entry modules show.
    """
    lines = (f"    {key!r}: {_value(one)},\n" for key, one in value.items())
    return "{" + "\n" * bool(value) + "".join(lines) + "}"


def _value(value: object) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], dict):
        return "(\n" + "".join(f"        {one!r},\n" for one in value) + "    )"
    return repr(value)


def _docstring(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"""{escaped}"""'
