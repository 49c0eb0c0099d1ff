"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from heard.domains.contacts import views

urlpatterns = [
    path("people/<int:contact_id>", views.person, name="person"),
    path("people/<int:contact_id>/block", views.block, name="block"),
    path("people/<int:contact_id>/unblock", views.unblock, name="unblock"),
]
