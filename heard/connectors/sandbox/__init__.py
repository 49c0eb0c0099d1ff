"""The Sandbox: a simulated public on a server of its own, to try, to train and to test with."""

from .connector import SandboxConnector

CONNECTOR = SandboxConnector()
