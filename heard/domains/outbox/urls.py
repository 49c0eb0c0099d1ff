"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from heard.domains.outbox.views import needing, switch

urlpatterns = [
    path("outbox/", needing.outbox, name="outbox"),
    path("outbox/switch/", switch.switch, name="switch"),
    path("outbox/switch/<int:hold_id>/ask/", switch.ask_release, name="ask_release"),
    path("outbox/switch/<int:hold_id>/release/", switch.release, name="release"),
    path("outbox/<int:outbound_id>/undo/", needing.undo, name="undo"),
    path("outbox/<int:outbound_id>/retry/", needing.retry, name="retry"),
    path("outbox/<int:outbound_id>/sent/", needing.decide, {"decision": "sent"}, name="sent"),
    path("outbox/<int:outbound_id>/again/", needing.decide, {"decision": "again"}, name="again"),
    path("outbox/<int:outbound_id>/dropped/", needing.decide, {"decision": "dropped"}, name="dropped"),
]
