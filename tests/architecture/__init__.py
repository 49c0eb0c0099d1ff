"""The rules that import-linter, ruff and mypy cannot see, each a function over source text.

Every checker takes a path (from the repository's root, with slashes) and that file's text, and returns
complaints: ``path:line: sentence``. Its test feeds it a text it must accept, one it must refuse, and
then the repository.
"""
