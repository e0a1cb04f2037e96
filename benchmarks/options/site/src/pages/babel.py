from datetime import date
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency

LOCALES = {
    "de": Locale("de"),
    "mx": Locale.parse("es_MX"),
    "br": Locale.parse("pt-BR", sep="-"),
    "no": Locale("nb"),
}


def GET(ctx):
    return [
        [
            format_date(date(2024, 5, 6), format="long", locale=LOCALES[k]),
            format_currency(1234.5, "EUR", locale=LOCALES[k]),
            LOCALES[k].english_name,
            format_date(date(2024, 5, 6)),
        ]
        for k in LOCALES
    ]
