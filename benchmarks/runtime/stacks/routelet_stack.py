"""routelet, as an entry module of a build has it."""

import sys
import types

page = types.ModuleType("pages.hello")
exec(  # a page as its own module, without a file beside this one
    "def GET(ctx):\n    return {'hello': ctx.params['name']}\n"
    "def POST(ctx):\n"
    "    if ctx.request.headers.get('content-type') == 'application/json':\n"
    "        return {'size': len(ctx.request.json())}\n"
    "    return {'size': len(ctx.request.body)}\n",
    page.__dict__,
)
sys.modules["pages"] = types.ModuleType("pages")
sys.modules["pages.hello"] = page

from routelet.aws import create_exports

handler = create_exports(
    {
        "routes": (
            {"route": "/hello/[name]", "pattern": "^/hello/([^/]+?)/?$", "params": ("name",),
             "module": "pages.hello", "source": "pages/hello.py"},
        ),
        "check_origin": True,
    },
    {"front": "http-api"},
)["handler"]  # fmt: skip
