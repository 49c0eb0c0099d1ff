"""The gallery's addresses; included only where HEARD_GALLERY is set."""

from __future__ import annotations

from django.urls import path

from heard.ui.gallery import views

app_name = "gallery"
urlpatterns = [
    path("", views.everything, name="everything"),
    path("<slug:part>/", views.one, name="one"),
]
