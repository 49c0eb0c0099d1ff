"""Erasure, export, retention: people can be forgotten."""
