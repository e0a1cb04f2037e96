"""Whether the hooks of an integration are as they are called: mistakes that would stay silent."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from routelet_bundler.adapter import Integration
from routelet_bundler.errors import WRONG_USE, RouteletError, said_by

HOOKS = tuple(name for name, member in vars(Integration).items() if inspect.isfunction(member))
_NEAR = 0.8
"""How alike a name has to be: `build_don`, but not `build_page`, which may be a method as well."""


def hook_mistakes(integration: Integration) -> Iterator[RouteletError]:
    """Yield what is wrong with each hook that cannot be called with its payload."""
    for hook in HOOKS:
        method = getattr(integration, hook)
        if inspect.iscoroutinefunction(method):
            yield _mistake(integration, hook, "hooks are not async", f"write def {hook}")
        elif not _takes_a_payload(method):
            mend = f"write def {hook}(self, payload)"
            yield _mistake(integration, hook, "does not take the payload alone", mend)


def hook_warnings(integrations: Iterable[Integration]) -> Iterator[str]:
    """Yield a warning for each method that seems to be a hook and is none, for its name."""
    for integration in integrations:
        kind = type(integration)
        wanted = [one for one in HOOKS if getattr(kind, one) is getattr(Integration, one)]
        own = (
            name for name in dir(kind) if not (name.startswith("_") or hasattr(Integration, name))
        )
        for name in own:
            near = get_close_matches(name, wanted, n=1, cutoff=_NEAR)
            if near and _takes_a_payload(getattr(integration, name)):
                yield (
                    f"the integration {integration.name} has {name}, which is no hook: "
                    f'did you mean "{near[0]}"?'
                )


def _takes_a_payload(method: Callable[..., Any]) -> bool:
    try:
        inspect.signature(method, follow_wrapped=False).bind(None)
    except TypeError:  # it is not callable, or with other arguments
        return False
    except ValueError:  # it is not written in Python
        return True
    return True


def _mistake(integration: Integration, hook: str, what: str, mend: str) -> RouteletError:
    code = getattr(inspect.unwrap(getattr(integration, hook)), "__code__", None)
    said = said_by(integration.name, hook)
    return RouteletError(
        f"{said}: {what}",
        where=f"{code.co_filename}:{code.co_firstlineno}" if code else "",
        mend=mend,
        status=WRONG_USE,
    )
