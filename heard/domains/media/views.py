"""Files for members, in a way that no content can act on the page."""

from __future__ import annotations

from django.http import FileResponse
from django.views.decorators.http import require_safe

from heard.domains.media import queries
from heard.domains.organizations.queries import MemberRequest, Permission, member_required


@require_safe
@member_required(Permission.VIEW_INBOX)
def file(request: MemberRequest, file_id: int) -> FileResponse:
    """Stream one file. Pictures may be shown; all else is a download, and none of it can run."""
    view, content = queries.open_file(request.actor, file_id)
    response = FileResponse(
        content,
        as_attachment=view.content_type not in queries.SHOWN_INLINE,
        filename=view.name,
        content_type=view.content_type,
    )
    response["Content-Length"] = str(view.size_bytes)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    # An id never changes its content; a shared cache must not keep it, and erasing must take hold soon.
    response["Cache-Control"] = "private, max-age=3600"
    return response
