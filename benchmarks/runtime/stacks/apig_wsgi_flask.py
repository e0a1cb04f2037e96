"""apig-wsgi and Flask."""

from apig_wsgi import make_lambda_handler
from flask import Flask, request

app = Flask(__name__)


@app.get("/hello/<name>")
def hello(name):
    return {"hello": name}


@app.post("/hello/<name>")
def size(name):
    if request.is_json:
        return {"size": len(request.get_json())}
    return {"size": len(request.get_data())}


handler = make_lambda_handler(app)
