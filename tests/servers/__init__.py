"""How the real servers start: see README.md beside this file."""
