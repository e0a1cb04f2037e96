"""Pages only, without feeds, lists and highlighting."""

SITENAME = "pages"
SITEURL = ""
TIMEZONE = "UTC"
THEME = "theme"
THEME_STATIC_PATHS: list[str] = []
ARTICLE_PATHS: list[str] = []
PAGE_PATHS = [""]
PAGE_SAVE_AS = "{slug}/index.html"
DIRECT_TEMPLATES: list[str] = []
FEED_ALL_ATOM = None
MARKDOWN = {"extensions": ["tables", "fenced_code", "footnotes"]}
