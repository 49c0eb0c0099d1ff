"""The switch that stops everything, and what needs people among all that leaves."""
