_ = lambda s: s
SECRET_KEY = "x"
USE_I18N = True
LANGUAGE_CODE = "de-at"
LANGUAGES = [("de-at", _("Austrian")), ("pt-br", "Brasil"), ("en", "English")]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
