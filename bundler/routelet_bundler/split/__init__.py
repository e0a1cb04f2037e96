"""Split: from routes, each traced alone, to the functions that answer them.

`together` makes functions of groups. `weigh` gives routes their sizes, with which `auto_groups`
chooses and `compare` tells what each split would give.
"""

from routelet_bundler.split.compare import auto_groups, compare
from routelet_bundler.split.together import together
from routelet_bundler.split.traffic import rates_of
from routelet_bundler.split.weights import Weights, weigh

__all__ = ["Weights", "auto_groups", "compare", "rates_of", "together", "weigh"]
