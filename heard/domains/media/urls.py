"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from heard.domains.media import views

urlpatterns = [path("files/<int:file_id>/", views.file, name="file")]
