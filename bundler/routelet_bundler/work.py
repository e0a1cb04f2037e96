"""What the stages of one build share."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import routelet
from routelet_bundler.cache import Cache
from routelet_bundler.configure import Configured
from routelet_bundler.content import Content
from routelet_bundler.elsewhere import Elsewhere
from routelet_bundler.generated import PACKAGE
from routelet_bundler.model import Site, Target
from routelet_bundler.sources import Digests
from routelet_bundler.trace import Records, Sources, Tracer
from routelet_bundler.trace.audit import read_recording
from routelet_bundler.trace.environment import Environment

RUNTIME = Path(routelet.__file__).parent

Report = Callable[[str, int, int], None]
"""Told of progress: the stage, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the stages of one build share."""

    configured: Configured
    site: Site
    content: Content
    environments: Mapping[Target, Environment]
    """What is installed, for each target that a function has; the site's own is the first."""
    cache: Cache
    jobs: int
    report: Report
    folder: Path
    """Becomes `out_dir`."""
    out_dir: Path
    public: Mapping[str, Path]
    digests: Digests
    records: Records
    started_ns: int
    """When the site was read, since the epoch."""
    elsewhere: Elsewhere | None = None
    """What runs tasks of stages, where that is not this machine."""


def tracer_of(
    work: Work,
    files: Mapping[str, Path],
    server: Mapping[str, Path],
    target: Target,
    siblings: Collection[str] = frozenset(),
) -> Tracer:
    """Return what traces functions of the site: generated `files`, and of a server entrypoint.

    Both are by their path in a zip. `siblings` are those that only a server entrypoint imports.
    """
    own = sources_of(work, files, work.environments[target])
    sources = replace(
        own, files={**server, **own.files}, server=frozenset(server), siblings=siblings
    )
    if work.elsewhere:
        work.records.learn(sources.files, work.digests, work.elsewhere)
    return Tracer(sources, target, work.records)


def sources_of(work: Work, files: Mapping[str, Path], environment: Environment) -> Sources:
    """Return where traces look: the site, generated `files`, and what is installed."""
    site, src = work.site, work.site.src.relative_to(work.site.root).as_posix()
    own = len(str(site.src)) + 1
    return Sources(
        files={**site.files, **files},
        labels={
            **{name: f"{src}/{str(path)[own:]}" for name, path in site.files.items()},
            **{one.archive: one.label for one in site.injected},
        },
        templates=work.content.templates,
        index=environment.index,
        dependencies=environment.dependencies,
        public=work.public,
        digests=work.digests,
        cache=work.cache,
        recording=read_recording(site.root),
        root=site.root,
    )


def made_from(work: Work, page_modules: Mapping[str, str]) -> Mapping[str, str]:
    """Return what generated modules were made from, by their path in a zip.

    `page_modules` are the dotted modules of pages that are no Python, by component.
    """
    src = work.site.src.relative_to(work.site.root).as_posix()
    templates = {
        f"{PACKAGE}.{one}": f"{src}/{name}" for name, one in work.content.templates.items()
    }
    pages = {module: component for component, module in page_modules.items()}
    return {f"{name.replace('.', '/')}.py": file for name, file in {**templates, **pages}.items()}
