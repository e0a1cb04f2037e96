"""aws-lambda-powertools, APIGatewayHttpResolver."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

app = APIGatewayHttpResolver()


@app.get("/hello/<name>")
def hello(name):
    return {"hello": name}


@app.post("/hello/<name>")
def size(name):
    event = app.current_event
    if event.is_base64_encoded:
        return {"size": len(event.decoded_body.encode())}
    return {"size": len(event.json_body)}


def handler(event, context):
    return app.resolve(event, context)
