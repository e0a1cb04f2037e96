"""A function without any library: the floor."""

import base64
import json


def handler(event, context):
    if event["requestContext"]["http"]["method"] == "POST":
        body = event["body"]
        size = len(base64.b64decode(body)) if event["isBase64Encoded"] else len(json.loads(body))
        return {"statusCode": 200, "headers": {"content-type": "application/json"},
                "body": json.dumps({"size": size})}  # fmt: skip
    name = event["rawPath"].rpartition("/")[2]
    return {"statusCode": 200, "headers": {"content-type": "application/json"},
            "body": json.dumps({"hello": name})}  # fmt: skip
