"""Mangum and FastAPI, lifespan off."""

from fastapi import FastAPI, Request
from mangum import Mangum

app = FastAPI()


@app.get("/hello/{name}")
async def hello(name: str):
    return {"hello": name}


@app.post("/hello/{name}")
async def size(request: Request):
    if request.headers.get("content-type") == "application/json":
        return {"size": len(await request.json())}
    return {"size": len(await request.body())}


handler = Mangum(app, lifespan="off")
