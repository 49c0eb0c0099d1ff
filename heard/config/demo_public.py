"""``python -m heard.config.demo_public``: the demo's Sandbox, which does not outlive the demo."""

from heard.config import processes
from heard.connectors.sandbox.commands import serve

if __name__ == "__main__":
    processes.leave_with_parent()
    serve()
