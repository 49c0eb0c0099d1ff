"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from heard.domains.channels.views import changing, connecting, showing

urlpatterns = [
    path("settings/channels/", showing.channels, name="channels"),
    path("settings/channels/choose/", connecting.choose, name="choose"),
    path("settings/channels/connect/<slug:network>/", connecting.connect, name="connect"),
    path("settings/channels/<int:channel_id>/", showing.channel, name="channel"),
    path("settings/channels/<int:channel_id>/reconnect/", connecting.reconnect, name="reconnect"),
    path("settings/channels/<int:channel_id>/pause/", changing.pause, name="pause"),
    path("settings/channels/<int:channel_id>/resume/", changing.resume, name="resume"),
    path("settings/channels/<int:channel_id>/close/", changing.close, name="close"),
    path("settings/channels/<int:channel_id>/replay/", changing.replay, name="replay"),
    path("settings/channels/<int:channel_id>/access/", changing.add_access, name="add_access"),
    path(
        "settings/channels/<int:channel_id>/access/<slug:who>/remove/",
        changing.remove_access,
        name="remove_access",
    ),
]
