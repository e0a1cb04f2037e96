"""Additions: names of adapters and integrations, to packages installed and pyproject.toml edited.

`offers` tells what a name stands for, `edit` what pyproject.toml becomes, and `carry_out` installs,
looks whether it works, and writes. Nothing here prints or asks.
"""

from routelet_bundler.additions.carry_out import carry_out, commands_of
from routelet_bundler.additions.edit import Addition, addition_of
from routelet_bundler.additions.offers import Offer, offer_of

__all__ = ["Addition", "Offer", "addition_of", "carry_out", "commands_of", "offer_of"]
