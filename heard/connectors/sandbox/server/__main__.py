"""``python -m heard.connectors.sandbox.server``: the Sandbox as a process of its own."""

from heard.connectors.sandbox.commands import serve

if __name__ == "__main__":
    serve()
