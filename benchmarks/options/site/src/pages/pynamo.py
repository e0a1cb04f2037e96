from pynamodb.models import Model
from pynamodb.attributes import UnicodeAttribute


class T(Model):
    class Meta:
        table_name = "t"
        host = "http://127.0.0.1:9"
        region = "eu-west-1"

    id = UnicodeAttribute(hash_key=True)


def GET(ctx):
    try:
        T.get("x")
    except Exception as e:
        return {"e": type(e).__name__}
