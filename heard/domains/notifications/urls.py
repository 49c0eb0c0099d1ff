"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from heard.domains.notifications import views

urlpatterns = [
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/<int:notification_id>/open/", views.open_notification, name="open"),
    path("notifications/read/", views.read_all, name="read_all"),
]
