"""The mail servers: reading (IMAP), sending (SMTP), and the token both may want."""

from .imap import Facts, Folder, MailStore
from .login import Login
from .oauth import signed_in
from .smtp import MailPost

__all__ = ["Facts", "Folder", "Login", "MailPost", "MailStore", "signed_in"]
