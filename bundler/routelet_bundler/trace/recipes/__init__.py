"""Recipes: what a function needs of the data of a large distribution, by what its code names.

botocore has a folder for each service, Babel a file for each locale, Django a folder for each
language: of these a function needs a few, and the rest is most of its bytes. A site asks for them
by name; what they leave out is data alone, never a module.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from routelet_bundler.cache import digest
from routelet_bundler.errors import raise_all
from routelet_bundler.model import Distribution
from routelet_bundler.trace.ground import Ground
from routelet_bundler.trace.recipes import babel, botocore, django
from routelet_bundler.trace.recipes.code import Code, Cut

_RECIPES: Mapping[str, Callable[[Distribution, Code], Cut]] = {
    "babel": babel.cut,
    "botocore": botocore.cut,
    "django": django.cut,
}
"""By the normalised name of the distribution that is cut."""

NAMES = tuple(_RECIPES)


class Recipes:
    """The recipes of a target, for functions that are traced one after the other."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._facts: dict[tuple[str, str], object] = {}
        self._cuts: dict[tuple[str, Cut], Distribution] = {}

    def applied(
        self, packed: Sequence[Distribution], local: Iterable[str]
    ) -> tuple[Mapping[str, Distribution], tuple[str, ...]]:
        """Return what becomes of `packed` distributions by name, and what is worth telling.

        `local` are the function's own files by their path in a zip. Raises `RouteletError` where
        they do not say which data they need.
        """
        wanted = [one for one in packed if one.name in self._ground.target.recipes]
        if not wanted:
            return {}, ()
        code = Code(self._ground, tuple(local), tuple(packed), self._facts)
        cuts = {one.name: _RECIPES[one.name](one, code) for one in wanted}
        raise_all([error for cut in cuts.values() for error in cut.errors])
        told = tuple(warning for cut in cuts.values() for warning in cut.warnings)
        return {one.name: self._cut(one, cuts[one.name]) for one in wanted}, told

    def _cut(self, distribution: Distribution, cut: Cut) -> Distribution:
        if cut.keeps is None:
            return distribution
        key = (distribution.key, cut)
        if key not in self._cuts:
            self._cuts[key] = replace(
                distribution,
                files=tuple(file for file in distribution.files if _stays(file[0], cut)),
                key=digest("recipe", distribution.key, *sorted(cut.keeps)),
            )
        return self._cuts[key]


def _stays(archive: str, cut: Cut) -> bool:
    """Tell whether a file is kept: all that is in no group is."""
    group = cut.group_of(archive)
    return group is None or cut.keeps is None or group in cut.keeps
