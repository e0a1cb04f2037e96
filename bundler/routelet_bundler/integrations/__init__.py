"""Integrations that come with routelet, in the entry-point group `routelet.integrations`."""
