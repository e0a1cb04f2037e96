"""The page of a report as text: one file, its data in it whatever that has in it."""

import json
import re

import pytest

from routelet_bundler.render.report_html import report_html


def data_in(html: str) -> object:
    (block,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL
    )
    return json.loads(block)


@pytest.mark.parametrize(
    "text",
    ["</script><b>", "<!--<script>", "]]>", "\u2028 \u2029", "{{ x }} {% y %}", "é😀", '"\\'],
)
def test_data_comes_out_as_it_went_in(text: str) -> None:
    data = {"site": text, "functions": [{"name": text}]}
    assert data_in(report_html(data)) == data


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = report_html({"site": "x"})
    assert not re.search(r"""\b(src|href)\s*=|url\(|@import|https?://""", html)
    assert "default-src 'none'" in html
    assert html.count("<script") == html.count("</script>") == 2
