"""A throw-away Dovecot: IMAP to read, LMTP to deliver. Any user exists, all have one password."""

from __future__ import annotations

import contextlib
import getpass
import grp
import pwd
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from imapclient import IMAPClient

from .certificate import write_certificate
from .process import LOOPBACK, Missing, answers, free_port, running, scratch_folder, unprivileged

PASSWORD = "pw"
PROGRAM = Path("/usr/sbin/dovecot")

# Everything runs as one ordinary user, so nothing changes its root or its user on the way.
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = {loopback}
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {user}
mail_gid = {group}
mail_location = maildir:~/Maildir
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
lmtp_save_to_detail_mailbox = no
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = {loopback}
    port = {lmtp_port}
  }}
}}
# Refused passwords are a test here, not an attack: nobody has to wait after one.
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running server. ``port`` is plain IMAP with STARTTLS, ``tls_port`` IMAP over TLS."""

    port: int
    tls_port: int
    lmtp_port: int
    certificate: Path
    host: str = LOOPBACK
    password: str = PASSWORD

    def deliver(
        self, mail: EmailMessage | bytes, recipient: str, sender: str = "anna@customer.example"
    ) -> None:
        """Put a mail into somebody's inbox, as a mail server does on receiving it."""
        content = mail if isinstance(mail, bytes) else mail.as_bytes()
        with smtplib.LMTP(self.host, self.lmtp_port, local_hostname="localhost", timeout=10) as line:
            line.sendmail(sender, [recipient], content)

    @contextlib.contextmanager
    def reader(self, user: str) -> Iterator[IMAPClient]:
        """An independent client, signed in: what somebody else sees, or does to the mailbox."""
        with IMAPClient(self.host, self.port, ssl=False, timeout=10) as client:
            client.login(user, self.password)
            yield client


@contextlib.contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A running server without mail. Raises ``Missing`` when Dovecot is not installed."""
    if not PROGRAM.exists() or not Path("/usr/lib/dovecot/lmtp").exists():
        raise Missing("Dovecot is not installed (Debian: apt-get install dovecot-imapd dovecot-lmtpd)")
    owner = unprivileged("nobody")
    user = owner.name or getpass.getuser()
    with scratch_folder("dovecot", owner) as folder:
        for name in ("run", "mail"):
            (folder / name).mkdir()
            owner.own(folder / name)
        certificate, key = write_certificate(folder)
        owner.own(key)
        ports = [free_port() for _ in range(3)]
        written = CONFIGURATION.format(
            folder=folder,
            loopback=LOOPBACK,
            user=user,
            group=grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name,
            certificate=certificate,
            key=key,
            password=PASSWORD,
            imap_port=ports[0],
            imaps_port=ports[1],
            lmtp_port=ports[2],
        )
        (folder / "dovecot.conf").write_text(written)
        serve = [str(PROGRAM), "-F", "-c", str(folder / "dovecot.conf")]
        with running(serve, folder=folder, ready=lambda: all(map(answers, ports)), owner=owner):
            yield Dovecot(ports[0], ports[1], ports[2], certificate)
