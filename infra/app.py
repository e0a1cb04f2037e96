"""Deploys examples/blog: see README.md."""

import sys
from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from delivery import Delivery

app = App()
repository = app.node.try_get_context("repository")
dist = Path(__file__).parent / app.node.try_get_context("dist")
if not repository:
    sys.exit("whose deployments? cdk ... -c repository=OWNER/NAME")
if not (dist / "cdk").is_dir():
    sys.exit(f"{dist}/cdk is missing: run `routelet build`, then `routelet template cdk`")

sys.path.insert(0, str(dist / "cdk"))
from routelet_site import RouteletSite  # noqa: E402 - made by `routelet template cdk`

Delivery(
    app,
    "RouteletDelivery",
    repository=repository,
    environment=app.node.try_get_context("environment"),
    provider_arn=app.node.try_get_context("github-provider"),
)
blog = Stack(app, "RouteletBlog")
site = RouteletSite(blog, "Site", not_found_page="/404.html")
CfnOutput(blog, "SiteUrl", value=site.url)
app.synth()
