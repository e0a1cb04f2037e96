"""The cache: what a build made once, by the content that it was made from.

`Cache` is a folder of this machine. Behind it may be a store that machines share: what the folder
lacks is looked for there, and what is made is kept in both. docs/cache.md tells what is kept.
"""

from routelet_bundler.cache.local import Cache, default_cache, digest
from routelet_bundler.cache.opened import open_cache
from routelet_bundler.cache.parts import parted, parts_of

__all__ = ["Cache", "default_cache", "digest", "open_cache", "parted", "parts_of"]
