"""Split: from routes, each traced alone, to the functions that answer them."""

from routelet_bundler.split.together import together

__all__ = ["together"]
