"""E-mail: any mailbox that is read by IMAP and answered by SMTP."""

from .connector import EmailConnector

__all__ = ["CONNECTOR", "EmailConnector"]

CONNECTOR = EmailConnector()
