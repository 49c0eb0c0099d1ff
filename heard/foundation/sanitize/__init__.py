"""What strangers wrote, made fit to be stored and shown."""

from .html import blocked_images, clean_html
from .text import clean_text, one_line, storable_text

__all__ = ["blocked_images", "clean_html", "clean_text", "one_line", "storable_text"]
