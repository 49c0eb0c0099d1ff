"""Only the four edges catch everything: request, work, stream, command. Elsewhere an error has a name."""

from __future__ import annotations

import ast

BROAD = {"Exception", "BaseException"}


def broad_excepts(path: str, source: str) -> list[str]:
    """Handlers that would swallow any error. One that ends by raising it again swallows nothing."""
    return [
        f"{path}:{node.lineno}: catches everything; name the error, or let it reach one of the four edges"
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises_again(node))
        or (isinstance(node, ast.Call) and _called(node) == "suppress" and any(map(_is_broad, node.args)))
    ]


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(map(_is_broad, kind.elts))
    return kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None
