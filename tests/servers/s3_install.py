"""Puts moto's server, which speaks S3, under .servers/s3."""

from .environment import ROOT, install

if __name__ == "__main__":
    install("s3", ROOT / "requirements" / "s3-server.txt")
