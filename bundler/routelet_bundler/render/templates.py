"""Jinja2 templates of `routelet_templates`, from a folder or a wheel alike."""

import json
import re
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined

_NOT_PRINTABLE = re.compile("[^ -~]")
"""In JSON text, where controls are escaped already: DEL, and all beyond ASCII."""


def render_template(name: str, **values: object) -> str:
    """Return the template `name`, such as `sam/template.yaml.jinja`, with `values` filled in.

    Values reach the text through the filters `yaml` and `javascript` only, so none can break it.
    """
    return _ENVIRONMENT.get_template(name).render(values)


def template_text(name: str) -> str:
    """Return the text of `name` below `routelet_templates`."""
    return resources.files("routelet_templates").joinpath(name).read_text(encoding="utf-8")


def _yaml(value: object) -> str:
    r"""JSON in printable ASCII, which is YAML as well; YAML has no surrogate pairs, but `\U`."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=_refuse)
    return _NOT_PRINTABLE.sub(lambda found: f"\\U{ord(found[0]):08x}", text)


def _javascript(value: object) -> str:
    """JSON for code that Fn::Sub reads, where `${` would start a reference."""
    text = json.dumps(value, sort_keys=True, default=_refuse).replace("$", "\\u0024")
    return text.replace("\x7f", "\\u007f")


def _refuse(value: object) -> object:
    raise TypeError(f"{value} is no JSON")  # an unknown variable raises its own error here


_ENVIRONMENT = Environment(
    loader=FunctionLoader(template_text),
    autoescape=False,  # noqa: S701 - YAML and JavaScript; the filters escape
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters.update({"yaml": _yaml, "javascript": _javascript})
