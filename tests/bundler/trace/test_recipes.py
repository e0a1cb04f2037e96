"""Recipes: which services, locales and languages stay, and what is said where nothing tells."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from routelet_bundler.adapters.aws_lambda import aws_lambda
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import Target, Traced

SERVICES = ("dynamodb", "s3", "sqs", "sts", "xray", "cognito-idp", "sagemaker-runtime")
BOTOCORE: Mapping[str, str] = {
    "botocore/__init__.py": "",
    "botocore/session.py": "def get(x, name):\n    return x.create_client(name)\n",
    "botocore/credentials.py": "def f(self):\n    return self._client_creator('sts')\n",
    "botocore/data/_retry.json": "{}",
    "botocore/data/endpoints.json": "{}",
    "botocore/data/partitions.json": "{}",
    **{f"botocore/data/{one}/2012-11-05/service-2.json.gz": "{}" for one in SERVICES},
}
BOTO3 = {"boto3/__init__.py": "def client(*args, **kw):\n    return S().client(*args, **kw)\n"}
LOCALES = ("root", "en", "en_001", "de", "de_AT", "es", "es_419", "es_MX", "no", "nb_NO", "fr")
BABEL: Mapping[str, str] = {
    "babel/__init__.py": "from babel.core import Locale\n",
    "babel/core.py": "class Locale:\n    pass\n",
    "babel/dates.py": "def format_date(d, format=None, locale=None):\n    pass\n",
    "babel/global.dat": "",
    **{f"babel/locale-data/{one}.dat": "" for one in LOCALES},
}
DJANGO: Mapping[str, str] = {
    "django/__init__.py": "",
    "django/conf/locale/__init__.py": "",
    **{
        f"django/{app}/locale/{one}/{file}": ""
        for app in ("conf", "contrib/auth")
        for one in ("en", "de", "fr", "pt", "pt_BR", "zh_Hans")
        for file in ("LC_MESSAGES/django.mo", "formats.py")
    },
}


class Site:
    """A site with one function, whose code is given."""

    def __init__(self, trace: Any, installed: Any, target: Target) -> None:
        self._trace = trace
        self._installed = installed
        self._target = replace(target, recipes=("botocore", "babel", "django"))
        installed.add("botocore", BOTOCORE)
        installed.add("boto3", BOTO3, requires=["botocore"])
        installed.add("babel", BABEL)
        installed.add("django", DJANGO)

    def add(self, name: str, source: str, requires: str) -> None:
        self._installed.add(name, {f"{name}/__init__.py": source}, requires=[requires])

    def traced(self, source: str, recipes: tuple[str, ...] | None = None) -> Traced:
        target = self._target if recipes is None else replace(self._target, recipes=recipes)
        files = {"main.py": "import lib.m\n", "lib/m.py": source}
        traced: Traced = self._trace(files, target=target)
        return traced

    def groups(self, source: str, distribution: str, at: int) -> set[str]:
        """Return which folders or files stay below the data, whose path has `at` parts."""
        names = files_of(self.traced(source), distribution)
        return {name.split("/")[at] for name in names if name.count("/") > at or "-data/" in name}

    def services(self, source: str) -> set[str]:
        return self.groups(source, "botocore", 2) - {"__init__.py"}

    def locales(self, source: str) -> set[str]:
        return {name.removesuffix(".dat") for name in self.groups(source, "babel", 2)}

    def languages(self, source: str) -> set[str]:
        names = files_of(self.traced(source), "django")
        found = (name.partition("/locale/")[2].partition("/") for name in names)
        return {language for language, slash, _ in found if slash}


def files_of(traced: Traced, distribution: str) -> list[str]:
    [found] = [one for one, _ in traced.distributions if one.name == distribution]
    return [name for name, _ in found.files]


@pytest.fixture
def site(trace: Any, installed: Any, target: Target) -> Site:
    return Site(trace, installed, target)


LITERAL = [
    "import boto3\nx = boto3.client('sqs')\n",
    "import boto3\nx = boto3.resource('sqs')\n",
    "import boto3\ndef f():\n    return boto3.Session().client(service_name='sqs')\n",
    "from boto3 import client as make\nx = make('sqs')\n",
    "import boto3\nNAME = 'sqs'\nx = boto3.client(NAME)\n",
    "import botocore.session\nx = botocore.session.get_session().create_client('sqs')\n",
]


@pytest.mark.parametrize("source", LITERAL)
def test_the_services_that_code_names_stay_and_those_that_botocore_itself_asks_for(
    site: Site, source: str
) -> None:
    assert site.services(source) == {"sqs", "sts"}


def test_what_is_beside_the_services_stays_and_so_does_all_without_the_recipe(site: Site) -> None:
    names = set(files_of(site.traced(LITERAL[0]), "botocore"))
    assert {"botocore/data/_retry.json", "botocore/data/endpoints.json"} < names
    assert {"botocore/data/partitions.json", "botocore/credentials.py"} < names
    whole = set(files_of(site.traced(LITERAL[0], recipes=()), "botocore"))
    assert set(BOTOCORE) < whole
    assert not site.traced(LITERAL[0]).warnings


def test_services_of_distributions_stay(site: Site) -> None:
    site.add("xraysdk", "def f(s):\n    return s.create_client('xray')\n", "boto3")
    assert site.services("import xraysdk\n") == {"sts", "xray"}


def test_a_distribution_that_computes_a_name_keeps_all_that_its_texts_name(site: Site) -> None:
    site.add(
        "orm",
        "import boto3\nNAMES = {'a': 'dynamodb', 'b': \"cognito-idp\", 'c': 'no-service'}\n"
        "def f(k):\n    return boto3.client(NAMES[k])\n",
        "boto3",
    )
    assert site.services("import orm\n") == {"sts", "dynamodb", "cognito-idp"}


def test_a_name_that_botocore_renames_is_known(site: Site) -> None:
    source = "import boto3\nx = boto3.client('runtime.sagemaker')\n"
    assert site.services(source) == {"sts", "sagemaker-runtime"}


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("boto3.client(name)", "boto3.client(name)"),
        ("boto3.Session().resource(service_name=name)", "boto3.Session().resource(service_name=n"),
        ("boto3.client(**name)", "boto3.client(**name)"),
        ("partial(boto3.client, name)()", "boto3.client"),
    ],
)
def test_a_name_that_only_a_run_tells_is_an_error_with_file_and_line(
    site: Site, expression: str, shown: str
) -> None:
    source = f"import boto3\nfrom functools import partial\ndef f(name):\n    return {expression}\n"
    with pytest.raises(RouteletError, match="only known when it runs") as raised:
        site.traced(source)
    assert raised.value.where == "src/lib/m.py:4"
    assert shown in raised.value.what
    assert 'client("s3")' in raised.value.mend
    assert site.traced(source, recipes=())


def test_other_things_that_are_called_client_are_not_taken_for_clients(site: Site) -> None:
    source = "import json\ndef f(app, name):\n    return app.client(name)\n"
    assert not site.traced(source).distributions


GERMAN = [
    "from babel import Locale\nL = Locale('de')\n",
    "from babel.dates import format_date\ndef f(d):\n    return format_date(d, locale='de_AT')\n",
    "from babel.dates import format_date\ndef f(d):\n    return format_date(d, 'long', 'de')\n",
    (
        "from babel import Locale\nfrom babel.dates import format_date\n"
        "ALL = {'a': Locale('de'), 'b': Locale.parse('de-AT', sep='-')}\n"
        "def f(d, code):\n    return format_date(d, locale=ALL[code])\n"
    ),
]


@pytest.mark.parametrize("source", GERMAN)
def test_locales_come_with_their_language_and_with_english_and_root(
    site: Site, source: str
) -> None:
    assert site.locales(source) == {"root", "en", "en_001", "de", "de_AT"}
    assert "babel/global.dat" in files_of(site.traced(source), "babel")


def test_a_parent_of_another_name_comes_along(site: Site) -> None:
    source = "from babel import Locale\nL = [Locale('es_MX'), Locale('nb')]\n"
    assert site.locales(source) >= {"es", "es_419", "es_MX", "no", "nb_NO"}
    assert "fr" not in site.locales(source)


@pytest.mark.parametrize(
    "call",
    ["format_date(d, locale=x)", "format_date(d, 'long', x)", "Locale(x)", "Locale.parse(x)",
     "Locale.negotiate(x, ['de'])", "format_date(d, **x)", "locale_identifiers()"],
)  # fmt: skip
def test_a_locale_that_only_a_run_tells_keeps_all_and_warns_with_the_line(
    site: Site, call: str
) -> None:
    source = (
        "from babel import Locale\nfrom babel.core import locale_identifiers\n"
        f"from babel.dates import format_date\ndef f(d, x):\n    return {call}\n"
    )
    assert site.locales(source) == set(LOCALES)
    [warning] = site.traced(source).warnings
    assert warning.startswith("src/lib/m.py:5: ")


def test_a_distribution_that_uses_babel_keeps_all_and_is_named(site: Site) -> None:
    site.add("flaskbabel", "from babel import Locale\n", "babel")
    assert site.locales("import flaskbabel\n") == set(LOCALES)
    [warning] = site.traced("import flaskbabel\n").warnings
    assert warning.startswith("flaskbabel uses Babel")


SETTINGS = [
    "import django\nLANGUAGE_CODE = 'de-at'\nLANGUAGES = [('pt-br', _('Brasil'))]\n",
    "import django\nALL = [('de', 'x'), ('pt-br', 'y')]\nLANGUAGES = ALL\n",
    "import django.conf as c\nc.settings.configure(LANGUAGES=(('de', 'x'), ('pt-br', 'y')))\n",
]


@pytest.mark.parametrize("source", SETTINGS)
def test_languages_of_settings_stay_with_those_they_fall_back_to(site: Site, source: str) -> None:
    assert site.languages(source) == {"en", "de", "pt", "pt_BR"}
    assert not site.traced(source).warnings


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import django\nLANGUAGES = load()\n", "src/lib/m.py:2: LANGUAGES = load()"),
        ("import django\nLANGUAGES = [pair('de')]\n", "src/lib/m.py:2: "),
        ("import django\n", "no settings name LANGUAGES"),
        ("import django\nLANGUAGE_CODE = 'de'\n", "no settings name LANGUAGES"),
    ],
)
def test_settings_that_do_not_say_keep_all_languages_and_warn(
    site: Site, source: str, told: str
) -> None:
    assert len(site.languages(source)) == 6
    assert any(warning.startswith(told) for warning in site.traced(source).warnings)


def test_what_is_cut_is_packed_under_a_key_of_its_own(site: Site) -> None:
    def key_of(source: str, recipes: tuple[str, ...] | None = None) -> str:
        [found] = [
            one for one, _ in site.traced(source, recipes).distributions if one.name == "botocore"
        ]
        return found.key

    keys = [key_of(LITERAL[0]), key_of("import boto3\nx = boto3.client('s3')\n")]
    assert len({*keys, key_of(LITERAL[0], ())}) == 3
    assert key_of(LITERAL[1]) == keys[0]


def test_an_unknown_recipe_is_wrong_use_with_the_nearest_name() -> None:
    with pytest.raises(RouteletError, match='no recipe "botcore"') as raised:
        aws_lambda(recipes=["botcore"])
    assert raised.value.mend == 'did you mean "botocore"?'
    assert raised.value.status == WRONG_USE
    with pytest.raises(RouteletError) as raised:
        aws_lambda(recipes=["zzz"])
    assert raised.value.mend == "there are babel, botocore, django"


REBOUND = [
    "NAME = 's3'\ndef f(NAME):\n    return boto3.client(NAME)\n",
    "NAME = 's3'\nfor NAME in open('names'):\n    boto3.client(NAME)\n",
    "NAME = 's3'\nNAME += input()\nboto3.client(NAME)\n",
    "NAME = 's3'\nwith open('x') as NAME:\n    boto3.client(NAME)\n",
]


@pytest.mark.parametrize("source", REBOUND)
def test_a_name_that_is_bound_twice_in_any_way_is_no_constant(site: Site, source: str) -> None:
    with pytest.raises(RouteletError, match="only known when it runs"):
        site.traced(f"import boto3\n{source}")


def test_languages_that_are_added_are_languages(site: Site) -> None:
    source = "import django\nLANGUAGES = [('de', 'D')]\nLANGUAGES += [('fr', 'F')]\n"
    assert site.groups(source, "django", 3) >= {"de", "fr"}
