"""Chalice, which knows REST API events only."""

from chalice import Chalice

app = Chalice(app_name="hello")


@app.route("/hello/{name}", methods=["GET"])
def hello(name):
    return {"hello": name}


@app.route("/hello/{name}", methods=["POST"],
           content_types=["application/json", "application/octet-stream"])  # fmt: skip
def size(name):
    request = app.current_request
    if request.headers["content-type"] == "application/json":
        return {"size": len(request.json_body)}
    return {"size": len(request.raw_body)}


handler = app
EVENT = "rest"
