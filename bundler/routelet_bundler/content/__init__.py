"""Content: Jinja, Markdown and HTML to Python modules, compiled at build time.

A function that has such a page parses no template when it starts, and ships no compiler of
Markdown. All modules are below `site_templates/`, so that they are found in a zip and in place.
A prerendered Markdown page needs no module: its `markdown_values` go to where it is rendered.
"""

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from routelet.media_types import UNKNOWN, content_type_of
from routelet_bundler.cache import Cache
from routelet_bundler.content.collections import collections
from routelet_bundler.content.markdown import markdown_to_html
from routelet_bundler.content.templates import (
    Filters,
    assets_of,
    compile_template,
    referenced_templates,
)
from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.generated import PACKAGE, module_of, python_source
from routelet_bundler.model import MarkdownOptions, Page, Site
from routelet_bundler.safe_names import unique
from routelet_bundler.sources import goes_on, parse_python, read_source, split_front_matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Generated modules: source text by path in a zip; and data beside them."""

    modules: Mapping[str, str]
    data: Mapping[str, bytes]
    templates: Mapping[str, str]
    """Module by the name that a template is called by: its path below `src/`."""
    pages: Mapping[str, str]
    """Dotted module of each page that is no Python, by its component."""


FILTERS = "filters.py"
"""A module below `src/` whose functions are filters of every template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What every page and template of a site may use."""

    templates: Mapping[str, str]
    filters: Filters
    options: MarkdownOptions
    public: Collection[str]
    """Files of `public/`."""


def content(
    site: Site,
    options: MarkdownOptions,
    cache: Cache | None = None,
    public: Collection[str] = (),
) -> Content:
    """Compile every template and every page that is no Python; `public` are files of `public/`.

    Raises `RouteletError`, for every faulty file at once.
    """
    src = site.src.relative_to(site.root).as_posix()
    others = {f"pages/{page.file}": page for page in site.pages if page.kind != "py"}
    needs_modules = rewrites(site)
    pages = {
        name: page
        for name, page in others.items()
        if needs_modules or not (page.kind == "md" and page.prerender)
    }
    page_files = {page.source for page in pages.values()}
    texts = {
        path.relative_to(site.src).as_posix(): path
        for name, path in site.files.items()
        if name.endswith(".jinja") and path not in page_files
    }
    modules_of = unique({name: module_of(name) for name in (*texts, *pages)})
    templates = {name: module for name, module in modules_of.items() if name.endswith(".jinja")}
    known = _Known(templates=templates, filters=_filters(site, src), options=options, public=public)
    modules: dict[str, str] = {}
    errors: list[RouteletError] = []
    for name in (*texts, *pages):
        try:
            page = pages.get(name)
            if page is None:
                where = f"{src}/{name}"
                text = read_source(texts[name], where)
                source = _template_module(name, text, where, known, is_page=False)
                modules[f"{PACKAGE}/{modules_of[name]}.py"] = source
            elif page.layout is None or page.layout in templates:
                modules[f"{PACKAGE}/{modules_of[name]}.py"] = _page_module(name, page, known)
        except RouteletError as error:
            errors.append(error)
    raise_all([*errors, *_without_layouts(others.values(), templates)])
    made, data = collections(site, options, cache)
    modules |= made
    if modules:
        modules[f"{PACKAGE}/__init__.py"] = ""
    if templates:
        modules[f"{PACKAGE}/environment.py"] = python_source(
            "environment.py.jinja",
            filters=known.filters,
            renamed={name: one for name, one in templates.items() if one != module_of(name)},
        )
    return Content(
        modules=modules,
        data=data,
        templates=templates,
        pages={
            page.route.component or "": f"{PACKAGE}.{modules_of.get(name, module_of(name))}"
            for name, page in others.items()
        },
    )


def _filters(site: Site, src: str) -> Filters:
    """Return the site's filters: functions of its `filters.py`, private ones not."""
    if FILTERS not in site.files:
        return ()
    where = f"{src}/{FILTERS}"
    module = parse_python(read_source(site.files[FILTERS], where), where)
    functions = (one for one in module.body if isinstance(one, ast.FunctionDef))
    return tuple((one.name, _passes(one)) for one in functions if not one.name.startswith("_"))


def _passes(function: ast.FunctionDef) -> str:
    names = (ast.unparse(one).rpartition(".")[2] for one in function.decorator_list)
    return next((name for name in names if name.startswith("pass_")), "")


def _without_layouts(
    pages: Iterable[Page], templates: Mapping[str, str]
) -> Iterable[RouteletError]:
    for page in pages:
        if page.layout is not None and page.layout not in templates:
            yield RouteletError(
                f"the layout {page.layout!r} is not there",
                where=f"{page.route.component}:{page.layout_line}",
                mend="name a template by its path below src/, such as layouts/post.jinja",
            )


def rewrites(site: Site) -> bool:
    """Tell whether a page or the middleware may answer with another page."""
    sources = (path for name, path in site.files.items() if name.endswith(".py"))
    return any(goes_on(path.read_bytes()) for path in sources)


def markdown_values(options: MarkdownOptions, source: Path, where: str) -> dict[str, Any]:
    """Return what the layout of a Markdown page gets: `frontmatter`, `headings`, `content`.

    Without a layout `content` is a whole document.
    """
    front_matter, text, _ = split_front_matter(read_source(source, where), where)
    rendered = markdown_to_html(text, raw_html=options.raw_html)
    html = rendered.html
    if front_matter.get("layout") is None:
        titles = (
            front_matter.get("title"),
            *(one["text"] for one in rendered.headings),
            source.stem,
        )
        title = escape(str(next(filter(None, titles))))
        html = f'<!doctype html>\n<meta charset="utf-8">\n<title>{title}</title>\n{html}'
    return {"frontmatter": dict(front_matter), "headings": rendered.headings, "content": html}


def _page_module(name: str, page: Page, known: _Known) -> str:
    where = page.route.component or name
    if page.kind == "md":
        return _markdown_module(page, where, known)
    text = read_source(page.source, where)
    if page.kind == "jinja":
        return _template_module(name, text, where, known, is_page=True)
    return python_source("html_page.py.jinja", file=where, content=text)


def _markdown_module(page: Page, where: str, known: _Known) -> str:
    values = markdown_values(known.options, page.source, where)
    if page.layout is None:
        return python_source("html_page.py.jinja", file=where, content=values["content"])
    module = known.templates[page.layout]
    return python_source(
        "layout_page.py.jinja", file=where, layout=page.layout, layout_module=module, **values
    )


def _type_of_page(name: str) -> str | None:
    """Return the type of a page that names its file, `feed.xml.jinja`; None for HTML."""
    content_type = content_type_of(name.removesuffix(".jinja"))
    return None if content_type.startswith(("text/html", UNKNOWN)) else content_type


def _template_module(name: str, text: str, where: str, known: _Known, *, is_page: bool) -> str:
    front_matter, body, lines = split_front_matter(text, where) if is_page else ({}, text, 0)
    references = referenced_templates(body, where, lines)
    templates = known.templates
    for reference in references:
        if reference.name not in templates and not reference.optional:
            raise RouteletError(
                f'the template "{reference.name}" is not there',
                where=f"{where}:{reference.line}",
                mend="name a template by its path below src/, such as layouts/base.jinja",
            )
    assets = assets_of(body, where, lines)
    for asset, line in assets:
        if asset not in known.public:
            raise RouteletError(
                f'asks for the asset "{asset}", which is not there',
                where=f"{where}:{line}",
                mend=f"put the file into public/{asset}, or correct the name",
            )
    modules = {templates[one.name] for one in references if one.name in templates}
    return python_source(
        "template_page.py.jinja",
        name=name,
        file=where,
        compiled=compile_template(body, name, where, lines, known.filters),
        references=sorted(modules - {templates[name]}),
        assets=sorted({asset for asset, _ in assets}),
        page=is_page,
        content_type=_type_of_page(name),
        frontmatter=dict(front_matter),
    )
