"""Django: the translations of the languages that settings name.

It has a folder for each of 100 languages, in `django/conf/locale` and in each of its own apps.
"""

import ast
import re
from collections.abc import Iterator, Mapping

from routelet_bundler.model import Distribution
from routelet_bundler.trace.recipes.code import Code, Cut, Facts, constants

_LOCALE = re.compile(r"django/(?:conf|contrib/\w+)/locale/([a-z]{2,3}(?:_\w+)?)/")
_MENTIONS = re.compile(rb"\bLANGUAGE(S|_CODE)\b")
_SETTINGS = {"LANGUAGES", "LANGUAGE_CODE"}
_ALWAYS = "en"


def cut(distribution: Distribution, code: Code) -> Cut:
    """Return which languages stay; all, with a warning, where settings do not say."""
    facts = code.local(_MENTIONS, facts_of)
    told = [
        f"{where}: {expression} is only known when it runs, so that all of Django's languages are "
        "packed; write them out"
        for where, expression in facts.unknown
    ]
    if "LANGUAGES" not in facts.named:
        told.append("no settings name LANGUAGES, so that all of Django's are packed")
    if told:
        return Cut(group_of=language_of, warnings=tuple(told))
    folders = frozenset(filter(None, (language_of(name) for name, _ in distribution.files)))
    wanted = {_ALWAYS, *(_plain(name) for name in facts.named)}
    return Cut(group_of=language_of, keeps=frozenset(one for one in folders if _is_of(one, wanted)))


def language_of(archive: str) -> str | None:
    """Return the language of a translation, as its folder has it: `pt_BR`."""
    found = _LOCALE.match(archive)
    return found[1] if found else None


def _is_of(folder: str, wanted: set[str]) -> bool:
    """Tell whether a folder is that of a language, or of one that it falls back to."""
    plain = _plain(folder)
    return plain in wanted or any(name.startswith(f"{plain}-") for name in wanted)


def _plain(name: str) -> str:
    return name.replace("_", "-").lower()


def facts_of(tree: ast.Module) -> Facts:
    """Return the languages in LANGUAGES and LANGUAGE_CODE, and what of them is computed.

    They are assigned in a module of settings, or are keywords of `settings.configure`.
    """
    names, named, unknown = constants(tree), set[str](), list[tuple[str, str]]()
    for key, value in _settings(tree):
        codes = _codes(value, names)
        if None in codes:
            unknown.append((str(value.lineno), f"{key} = {ast.unparse(value)}"))
        named |= {key, *filter(None, codes)}
    return Facts(named=frozenset(named), unknown=tuple(unknown))


def _codes(value: ast.expr, names: Mapping[str, ast.expr]) -> list[str | None]:
    """Return the language codes of a setting; None for each that is computed."""
    match value:
        case ast.Constant(value=str() as code):
            return [code]
        case ast.Name(id=name) if name in names:
            return _codes(names[name], {})
        case ast.List(elts=pairs) | ast.Tuple(elts=pairs):
            return [_code_of(pair) for pair in pairs]
    return [None]


def _code_of(pair: ast.expr) -> str | None:
    """Return the first of the two texts of a language: ("de", _("German"))."""
    match pair:
        case ast.List(elts=[ast.Constant(value=str() as code), *_]):
            return code
        case ast.Tuple(elts=[ast.Constant(value=str() as code), *_]):
            return code
    return None


def _settings(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _SETTINGS:
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                if name in _SETTINGS:
                    yield name, value
            case ast.AugAssign(target=ast.Name(id=name), value=value) if name in _SETTINGS:
                yield name, value
            case ast.keyword(arg=str() as name, value=value) if name in _SETTINGS:
                yield name, value
