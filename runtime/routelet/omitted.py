"""What a function was packed without: importing it says which `include` mends that.

Only the entry module of a function that something was left out of imports this.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.machinery import ModuleSpec


def tell_of(names: "Mapping[str, str]") -> None:
    """Make an import of what was left out fail with what to do, in place of only failing.

    `names` are distributions by their modules: `{"yaml": "pyyaml"}`.
    """
    sys.meta_path.append(_Last(names))


class _Last:
    """A finder that is asked when no other has found the module."""

    def __init__(self, names: "Mapping[str, str]") -> None:
        self._names = names

    def find_spec(self, fullname: str, *_: object) -> "ModuleSpec | None":
        """Raise `ModuleNotFoundError` for what was left out, which is what importing it raises.

        `importlib.util.find_spec` only asks whether a module is there, and gets None as ever.
        """
        name = self._distribution_of(fullname)
        is_import = sys._getframe(2).f_code.co_name == "_find_and_load_unlocked"
        if name is None or not is_import:
            return None
        raise ModuleNotFoundError(
            f"No module named {fullname!r}: {name} was left out of this function; "
            f'add include = ["{name}"] to the config of its page',
            name=fullname,
        )

    def _distribution_of(self, module: str) -> str | None:
        below = f"{module}."
        for known, name in self._names.items():
            if known == module or known.startswith(below):  # the parent may be a namespace
                return name
        return None
