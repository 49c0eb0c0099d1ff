"""Speed, as ratios against a limit measured in the same run. ``make bench``; results in ``RESULTS.md``."""
