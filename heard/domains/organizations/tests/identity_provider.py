"""A small OpenID Connect provider on loopback: it knows one person, and says of them what a test wants."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


class IdentityProvider:
    """``claims`` are what it says of whoever signs in; ``is_broken`` lets it fail.

    ``sends_to`` is where it redirects who asks for its description; ``asked`` are the paths asked for.
    """

    def __init__(self) -> None:
        self.claims: dict[str, object] = {}
        self.is_broken = False
        self.sends_to = ""
        self.asked: list[str] = []
        self.verifiers: list[str] = []
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(urlsplit(self.path).path)
                if provider.sends_to and "openid-configuration" in self.path:
                    self.send_response(302)
                    self.send_header("Location", provider.sends_to)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self._answer(provider.get(urlsplit(self.path).path))

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                self._answer(provider.post(parse_qs(self.rfile.read(length).decode())))

            def _answer(self, found: dict[str, object] | None) -> None:
                broken = found is None or provider.is_broken
                body = b"<html>Sorry</html>" if broken else json.dumps(found).encode()
                self.send_response(500 if broken else 200)
                self.send_header("Content-Type", "text/html" if broken else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def get(self, path: str) -> dict[str, object] | None:
        if path in {"/.well-known/openid-configuration", "/elsewhere"}:
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        return dict(self.claims) if path == "/userinfo" else None

    def post(self, form: dict[str, list[str]]) -> dict[str, object] | None:
        if form.get("client_secret") != ["its secret"]:
            return None
        self.verifiers += form.get("code_verifier", [])
        now = int(time.time())
        claims = {**self.claims, "iss": self.url, "aud": "heard", "iat": now, "exp": now + 60}
        token = jwt.encode(claims, self.key, algorithm="RS256")
        return {"access_token": "a token", "token_type": "Bearer", "expires_in": 60, "id_token": token}

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)
