"""Django's settings, made from ``options``. Nothing here is read by rooms except through Django."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from heard.config import options, secrets
from heard.config.rooms import ROOMS

ROOT = Path(__file__).resolve().parent.parent
DATA = options.data_folder()
TESTING = bool(os.environ.get("HEARD_TESTING"))

DEBUG = False
SECRET_KEY = secrets.secret_key(DATA)
HEARD_URL = options.address()
_address = urlsplit(HEARD_URL)
ALLOWED_HOSTS = sorted(
    {_address.hostname or "localhost", "localhost", "127.0.0.1", "[::1]"}
    | {host.strip() for host in options.HOSTS.value.split(",") if host.strip()}
    | ({"testserver"} if TESTING else set())
)
CSRF_TRUSTED_ORIGINS = [HEARD_URL]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
USE_I18N = True
FORMAT_MODULE_PATH = ["heard.ui.formats"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
HEARD_GALLERY = options.GALLERY.is_on
HEARD_SEND_LEASE_SECONDS = float(options.SEND_LEASE_SECONDS.number)
HEARD_RAW_DAYS = options.RAW_DAYS.number

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # allauth's pages on passkeys load its tags
    "heard.ui",  # before allauth: its pages are drawn with our elements and in our layouts
    *(f"heard.domains.{room}" for room in ROOMS),
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "heard.config.middleware.packed",
    "heard.config.middleware.edge",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "heard.domains.organizations.middleware.actor",
    "heard.config.middleware.position",
    "heard.config.middleware.asked",
    "heard.config.middleware.errors",
]
ROOT_URLCONF = "heard.config.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "heard.config.context.page",
            ],
        },
    }
]


def _sqlite(name: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / name,
        "OPTIONS": {
            # Writers queue for the write lock at BEGIN instead of failing half-way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous="
                + ("OFF" if TESTING else "FULL")
                # No mmap_size: a mapped file grows with the file, which made taking in an eighth slower
                # and counted every page once more in each process's memory.
                + "; PRAGMA foreign_keys=ON; PRAGMA cache_size=-16000;"
            ),
        },
        "TEST": {"NAME": str(DATA / f"test-{name}")},
    }


DATABASES: dict[str, dict[str, Any]]
if options.DATABASE_URL.value:
    DATABASES = {"default": options.database_of(options.DATABASE_URL.value)}
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    # Deliveries have a file of their own: a webhook's commit must not wait for the other writers
    # (commit p99 12 ms, against 844 ms beside two writers in one file).
    DATABASES = {"default": _sqlite("heard.sqlite3"), "deliveries": _sqlite("deliveries.sqlite3")}
    for _database in DATABASES.values():
        _database["CONN_MAX_AGE"] = None
DATABASE_ROUTERS = ["heard.config.routers.DeliveriesRouter"]

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA / "files"},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = TESTING
if options.S3.value:
    STORAGES["default"] = {
        "BACKEND": "heard.foundation.s3.S3Store",
        "OPTIONS": options.store_of(options.S3.value),
    }

# Sign-in ------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "organizations.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
    if TESTING
    else "django.contrib.auth.hashers.ScryptPasswordHasher"
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/inbox/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # members come by invitation, sent to that address
ACCOUNT_CHANGE_EMAIL = True  # one address per user; another takes its place once it is confirmed
ACCOUNT_ADAPTER = "heard.domains.organizations.signin.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "heard.domains.organizations.signin.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if options.TRUST_PROXY.is_on else 0
MFA_ADAPTER = "heard.domains.organizations.signin.MFAAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an installation without mail confirms no address
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_TOTP_ISSUER = "Heard"
# One step for the time it takes to type a code, and for clocks that differ (RFC 6238, 5.2).
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = _address.scheme == "http"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": app["id"],
                "name": app["name"],
                "client_id": app["client_id"],
                "secret": app.get("secret", ""),
                "settings": {"server_url": app["server_url"]},
            }
            for app in options.providers_of(options.OIDC.value)
        ],
    }
}

# Browser ------------------------------------------------------------------------------------------
SESSION_COOKIE_NAME = "heard_session"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = _address.scheme == "https"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if SESSION_COOKIE_SECURE else 0
X_FRAME_OPTIONS = "DENY"
if options.TRUST_PROXY.is_on:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "django_cache"}}
if TESTING:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

# Mail of our own (invitations) ----------------------------------------------------------------------
DEFAULT_FROM_EMAIL = options.MAIL_FROM.value
EMAIL_TIMEOUT = 10
if options.MAIL_URL.value:
    _mail = urlsplit(options.MAIL_URL.value)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or ""
    EMAIL_PORT = _mail.port or (465 if _mail.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = _mail.scheme == "smtp" and EMAIL_PORT == 587
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

LOGGING_CONFIG = None
