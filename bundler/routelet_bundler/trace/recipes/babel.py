"""Babel: the files of locales that code names.

Its data is one file for each of 1,100 locales. With a locale come all of its language, since the
parent of `es_MX` is `es_419`; and `root` and English, which stands for an environment that says
nothing.
"""

import ast
import re
from collections.abc import Mapping

from routelet_bundler.model import Distribution
from routelet_bundler.trace.recipes.code import (
    Code,
    Cut,
    Facts,
    constants,
    imports,
    last_name,
    strings_in,
)

_DATA = "babel/locale-data/"
_MENTIONS = re.compile(rb"\b(babel|Locale)\b")
_IMPORTS = re.compile(rb"^\s*(import|from) babel\b", re.MULTILINE)
_ALWAYS = frozenset({"root", "en"})
_KIN: Mapping[str, str] = {
    "nb": "no", "nn": "no", "no": "nb", "iw": "he", "in": "id", "tl": "fil", "mo": "ro", "sh": "sr",
    "ht": "fr",
}  # fmt: skip
"""Languages whose data is, or has for a parent, that of another: CLDR's supplemental data."""
_LISTING = {"locale_identifiers", "localedata", "negotiate", "negotiate_locale"}
"""What goes through all locales, or through those of a list."""
_OF_A_NAME = {"Locale", "parse", "get_display_name", "get_language_name", "get_territory_name"}


def cut(distribution: Distribution, code: Code) -> Cut:
    """Return which languages stay; all, with a warning, where code does not say."""
    facts = code.local(_MENTIONS, facts_of)
    others = (one for one in code.packed if one.name != distribution.name)
    users = [one.name for one in others if code.mentions(one, _IMPORTS)]
    told = [
        f"{where}: the locale of {expression} is only known when it runs, so that all of Babel's "
        'are packed; write it out, as in locale="de"'
        for where, expression in facts.unknown
    ]
    told += [f"{user} uses Babel, so that all of its locales are packed" for user in users]
    if told:
        return Cut(group_of=language_of, warnings=tuple(told))
    languages = {_language(name) for name in facts.named} | _ALWAYS
    languages |= {_KIN[language] for language in languages & _KIN.keys()}
    known = frozenset(filter(None, (language_of(name) for name, _ in distribution.files)))
    return Cut(group_of=language_of, keeps=frozenset(languages & known))


def language_of(archive: str) -> str | None:
    """Return the language of a locale's file, such as `es` of `es_MX.dat`."""
    name = archive.removeprefix(_DATA)
    return _language(name.removesuffix(".dat")) if name != archive else None


def _language(name: str) -> str:
    return re.split("[-_]", name, maxsplit=1)[0].lower()


def facts_of(tree: ast.Module) -> Facts:
    """Return all that a module which imports babel has of text, and the locales it computes."""
    if not imports(tree, frozenset({"babel"})):
        return Facts()
    names = constants(tree)
    theirs = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "babel"
        for alias in node.names
    }
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    unknown = [call for call in calls if _is_unknown(call, names, theirs)]
    return Facts(
        named=frozenset(strings_in(tree)),
        unknown=tuple((str(one.lineno), ast.unparse(one)) for one in unknown),
    )


def _is_unknown(node: ast.Call, names: Mapping[str, ast.expr], theirs: set[str]) -> bool:
    """Tell whether a call of Babel's is given a locale that only a run tells, or may be.

    What is given by place is a locale with some of its functions, so that it has to be known too.
    """
    called = last_name(node.func)
    given = [one.value for one in node.keywords if one.arg in {"locale", "identifier", None}]
    if called in _LISTING:
        return True
    if called in _OF_A_NAME:
        given += node.args[:1]
    elif called in theirs or called.startswith(("format_", "parse_", "get_")):
        given += node.args[1:]
    return not all(_is_known(one, names) for one in given)


def _is_known(node: ast.expr, names: Mapping[str, ast.expr]) -> bool:
    """Tell whether all that an expression may be stands in the module."""
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            rest = {key: value for key, value in names.items() if key != name}
            return name in names and _is_known(names[name], rest)
        case ast.Dict(values=inner) | ast.Tuple(elts=inner) | ast.List(elts=inner):
            return all(_is_known(one, names) for one in inner)
        case ast.Subscript(value=value):
            return _is_known(value, names)
        case ast.IfExp(body=body, orelse=orelse):
            return _is_known(body, names) and _is_known(orelse, names)
        case ast.Call(func=func, args=[first, *_]) if last_name(func) in {"Locale", "parse"}:
            return _is_known(first, names)
    return False
