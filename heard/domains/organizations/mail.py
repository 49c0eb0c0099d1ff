"""The mail this room sends: an invitation. Where no mail is set up, links are shown instead."""

from __future__ import annotations

import smtplib
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils.crypto import constant_time_compare, salted_hmac

from heard.foundation.errors import HeardError


class MailFailed(HeardError):
    """The mail server did not take it; the sentence says what to do instead."""


def is_set_up() -> bool:
    """Whether this installation can send mail at all (``HEARD_MAIL_URL``)."""
    return not settings.EMAIL_BACKEND.endswith(".dummy.EmailBackend")


def proof_of_mail(token: str) -> str:
    """What only the mailed link carries: whoever presents it reads the mail of that address.

    The link that a manager sees and copies lacks it, so it proves nothing about the mailbox.
    """
    return salted_hmac("heard.invitation.mailed", token, algorithm="sha256").hexdigest()[:32]


def proves_mail(token: str, proof: str) -> bool:
    """Whether the proof belongs to this token."""
    return constant_time_compare(proof_of_mail(token), proof)


def send_invitation(
    *, email: str, token: str, organization_name: str, invited_by: str, expires_at: datetime
) -> None:
    """Mail the link to whom it was made for. Raises ``MailFailed`` with a sentence."""
    context = {
        "organization_name": organization_name,
        "invited_by": invited_by,
        "expires_at": expires_at,
        "url": f"{settings.HEARD_URL}/invitation/{token}/?mailed={proof_of_mail(token)}",
    }
    message = EmailMessage(
        # A name may not bring a line break into the header.
        subject=" ".join(render_to_string("organizations/mail/invitation_subject.txt", context).split()),
        body=render_to_string("organizations/mail/invitation.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[email],
    )
    deliver(message)


def deliver(message: EmailMessage) -> None:
    """Send one mail now. Raises ``MailFailed`` with a sentence when the server does not take it."""
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        raise MailFailed(
            "The mail server did not take the message. Copy the link and send it yourself."
        ) from error
