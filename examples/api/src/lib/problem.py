"""Errors that programs can read: RFC 9457, problem details."""

from routelet import Response


def problem(status: int, title: str, **details: object) -> Response:
    """Return an error response; `details` are further members of the JSON object."""
    return Response.json(
        {"status": status, "title": title, **details},
        status=status,
        headers={"content-type": "application/problem+json"},
    )
