"""A URL to upload one file to S3: /uploads/photos/cat.jpg. Signing is done here, without a call.

boto3 is part of Lambda's Python runtimes, so the zip of this function has none of it.
"""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from lib.problem import problem
from routelet import Context, Response

BUCKET = os.environ.get("UPLOAD_BUCKET", "example-uploads")
REGION = os.environ.get("AWS_REGION", "us-east-1")
VALID_FOR_S = 300


@cache
def s3() -> Any:
    # The regional address, since the global one may redirect, and a signed upload cannot follow.
    config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    return boto3.client(
        "s3", region_name=REGION, endpoint_url=f"https://s3.{REGION}.amazonaws.com", config=config
    )


def GET(ctx: Context) -> dict[str, Any] | Response:
    key = ctx.params["path"]
    if not key:
        return problem(400, "No file name", detail="ask for /uploads/ and a path")
    try:
        url = s3().generate_presigned_url(
            "put_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=VALID_FOR_S
        )
    except NoCredentialsError:
        return problem(503, "No credentials", detail="this function cannot sign")
    return {"method": "PUT", "url": url, "valid_for_s": VALID_FOR_S}
