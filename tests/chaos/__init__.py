"""Kill anything anywhere, and compare what people said with what stands: see ``harness.py``."""
