"""Every part in every state on one page, for people and for pictures. Off unless HEARD_GALLERY is set."""
