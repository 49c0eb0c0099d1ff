"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from heard.domains.privacy import views

urlpatterns = [
    path("people/<int:contact_id>/privacy", views.person, name="person"),
    path("people/<int:contact_id>/export", views.export, name="export"),
    path("people/<int:contact_id>/erase", views.erase, name="erase"),
]
