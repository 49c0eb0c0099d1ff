"""Every room offers its own addresses; this file only gathers them."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver
from django.views.generic import RedirectView

from heard.config import pages
from heard.config.rooms import modules

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/inbox/", permanent=False), name="home"),
    path("settings/", RedirectView.as_view(url="/settings/channels/", permanent=False), name="settings"),
    path("account/", include("allauth.urls")),
    path("metrics", pages.metrics, name="metrics"),
]
for _module in modules("urls"):
    urlpatterns += [path("", include((_module.urlpatterns, _module.__name__.split(".")[-2])))]
if settings.HEARD_GALLERY:
    urlpatterns += [path("gallery/", include("heard.ui.gallery.urls"))]

handler400 = pages.bad_request
handler403 = pages.not_allowed
handler404 = pages.not_found
handler500 = pages.broken
