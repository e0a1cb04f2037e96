"""Mangum and Starlette, lifespan off."""

from mangum import Mangum
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(request):
    return JSONResponse({"hello": request.path_params["name"]})


async def size(request):
    if request.headers.get("content-type") == "application/json":
        return JSONResponse({"size": len(await request.json())})
    return JSONResponse({"size": len(await request.body())})


app = Starlette(routes=[
    Route("/hello/{name}", hello, methods=["GET"]), Route("/hello/{name}", size, methods=["POST"]),
])  # fmt: skip
handler = Mangum(app, lifespan="off")
