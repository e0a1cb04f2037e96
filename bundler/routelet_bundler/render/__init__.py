"""routelet.json to what deploys it: a SAM template, a CDK app."""

from routelet_bundler.render.cdk import cdk_files
from routelet_bundler.render.front import front_code
from routelet_bundler.render.gateway import Conflict, Gateway, RouteKey, gateway_of
from routelet_bundler.render.sam import sam_template
from routelet_bundler.render.warnings import template_warnings

__all__ = [
    "Conflict",
    "Gateway",
    "RouteKey",
    "cdk_files",
    "front_code",
    "gateway_of",
    "sam_template",
    "template_warnings",
]
