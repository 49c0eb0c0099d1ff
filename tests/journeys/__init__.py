"""Journeys of people through the pages, in Chromium, against a real installation."""
