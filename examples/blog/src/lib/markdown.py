"""Make HTML of a post's Markdown. Raw HTML in the text is escaped."""

from markdown_it import MarkdownIt

OPTIONS = {"html": False, "typographer": True}
MARKDOWN = MarkdownIt("commonmark", OPTIONS).enable(["table", "smartquotes"])


def to_html(text: str) -> str:
    """Return safe HTML: a template may print it with `|safe`."""
    return str(MARKDOWN.render(text))
