import boto3, os

sqs = boto3.client("sqs", endpoint_url="http://127.0.0.1:9")
TABLES = "dynamodb"


def GET(ctx):
    table = boto3.resource(TABLES, endpoint_url="http://127.0.0.1:9").Table("x")
    s3 = boto3.Session().client(service_name="s3")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    try:
        sqs.list_queues()
    except Exception as e:
        err = type(e).__name__
    p = sqs.get_paginator("list_queues")
    sts = boto3.client("sts")
    return {"url": url[:30], "err": err, "table": table.name, "w": s3.waiter_names}
