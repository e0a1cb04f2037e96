"""What is known of libraries that use many others: the words of a caller that need each of these.

pandas imports what reads or writes a format when a function for it is called, so the name of that
function in local code tells. Without such a word nothing that they import by themselves is packed.
A Logger of Powertools reaches boto3 and pydantic in its library, and uses neither.
"""

import re
from collections.abc import Iterator, Mapping

HINTS: Mapping[str, Mapping[str, str]] = {
    "aws-lambda-powertools": {
        "avro": r"[Aa]vro",
        "aws-encryption-sdk": r"masking",
        "aws-xray-sdk": r"Tracer|tracing|single_subsegment",
        "boto3": r"code_pipeline|CodePipeline|feature_flags|idempoten|masking|parameters|streaming",
        "fastjsonschema": r"validat",
        "jsonpath-ng": r"masking",
        "protobuf": r"[Pp]rotobuf",
        "pydantic": r"enable_validation|openapi|parser|Parser|pydantic",
        "redis": r"[Rr]edis|[Cc]ache",
        "valkey-glide": r"[Vv]alkey|glide",
    },
    "matplotlib": {},
    "networkx": {
        "lxml": r"graphml",
        "matplotlib": r"\bdraw",
        "numpy": r".",
        "pandas": r"pandas",
        "pillow": r"\bdraw",
        "pydot": r"pydot",
        "pygraphviz": r"agraph|graphviz",
        "scipy": r".",
    },
    "numpy": {},
    "pandas": {
        "beautifulsoup4": r"read_html",
        "bottleneck": r"bottleneck",
        "fsspec": r"://",
        "html5lib": r"read_html",
        "jinja2": r"\.style\b|to_latex",
        "lxml": r"read_html|_xml\b",
        "matplotlib": r"\.(?:plot|hist|boxplot)\b|plotting|background_gradient",
        "numba": r"numba",
        "numexpr": r"numexpr",
        "odfpy": r"\bodf\b|\.ods\b",
        "openpyxl": r"[Ee]xcel",
        "psycopg2": r"postgres",
        "psycopg2-binary": r"postgres",
        "pyarrow": r"parquet|feather|_orc\b|[Aa]rrow",
        "pymysql": r"mysql",
        "python-calamine": r"[Ee]xcel",
        "pyxlsb": r"xlsb",
        "s3fs": r"s3://",
        "scipy": r"interpolate|method=|skew|kurt|window|sparse|\.corr|\.cov|rank",
        "sqlalchemy": r"_sql|SQL",
        "tables": r"[Hh][Dd][Ff]",
        "tabulate": r"to_markdown",
        "xarray": r"xarray",
        "xlrd": r"[Ee]xcel",
        "xlsxwriter": r"xlsxwriter",
    },
    "scipy": {},
}
"""Patterns of local code by importer and by the distribution that it needs for what they match."""

_COMPILED = {
    (importer, companion): re.compile(pattern)
    for importer, companions in HINTS.items()
    for companion, pattern in companions.items()
}


def hinted(text: str) -> Iterator[tuple[str, str]]:
    """Yield importer and companion for each pattern that matches the text of a source."""
    return (pair for pair, pattern in _COMPILED.items() if pattern.search(text))
