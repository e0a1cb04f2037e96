from pydantic import BaseModel, Field
from datetime import datetime


class M(BaseModel):
    a: int = Field(gt=0)
    t: datetime | None = None


def GET(ctx):
    return {
        "m": M.model_validate({"a": "3", "t": "2024-01-01"}).model_dump_json(),
        "s": M.model_json_schema()["title"],
    }
