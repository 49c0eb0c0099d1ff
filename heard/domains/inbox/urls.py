"""The inbox's addresses."""

from __future__ import annotations

from django.urls import path

from heard.domains.inbox import views

urlpatterns = [
    path("inbox/", views.inbox_page, name="inbox"),
    path("inbox/<slug:view>/", views.inbox_page, name="view"),
    path("conversations/<int:conversation_id>/", views.conversation, name="conversation"),
    path("c/<int:case_id>", views.case_page, name="case"),
    path("c/<int:case_id>/answer", views.answer, name="answer"),
    path("c/<int:case_id>/draft", views.draft, name="draft"),
    path("c/<int:case_id>/assign", views.assign, name="assign"),
    path("c/<int:case_id>/status", views.status, name="status"),
    path("c/<int:case_id>/snooze", views.snooze, name="snooze"),
    path("c/<int:case_id>/block", views.block, name="block"),
    path("c/<int:case_id>/count", views.count_text, name="count"),
    path("c/<int:case_id>/split/<int:message_id>", views.split_off, name="split"),
    path("c/<int:case_id>/outbound/<int:outbound_id>/undo", views.cancel, name="undo"),
    path("c/<int:case_id>/outbound/<int:outbound_id>/retry", views.retry, name="retry"),
    path("c/<int:case_id>/outbound/<int:outbound_id>/<slug:decision>", views.decide, name="decide"),
]
