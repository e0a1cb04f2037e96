import os

os.environ["DJANGO_SETTINGS_MODULE"] = "lib.settings"
import lib.settings
import django

django.setup()
from django.utils import translation, formats
from django.template import engines
import datetime


def GET(ctx):
    out = []
    for lang in ("de-at", "pt-br", "en"):
        with translation.override(lang):
            out.append(
                [
                    translation.gettext("Yes"),
                    translation.gettext("password"),
                    formats.date_format(datetime.date(2024, 5, 6)),
                ]
            )
    return out
