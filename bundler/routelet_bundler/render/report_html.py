"""`dist/report.html`: one file that needs nothing else, made of the data of a report."""

import json
from collections.abc import Mapping
from typing import Any

from routelet_bundler.render.templates import render_template, template_text


def report_html(data: Mapping[str, Any]) -> str:
    """Return the page that shows `data`, which is in it as one block of JSON."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return render_template(
        "report/report.html.jinja",
        style=template_text("report/report.css"),
        script=template_text("report/report.js"),
        # In a script element `</script` and `<!--` would be markup.
        data=text.replace("<", "\\u003c"),
    )
