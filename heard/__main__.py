"""``python -m heard``."""

from heard.config.cli import main

main()
