"""``RESULTS.md`` from the kept figures."""

from __future__ import annotations

from typing import Any

HEAD = """# Results

Written by `make bench`; the figures in full are in `RESULTS.json`. Measured on a small virtual machine with
two shared cores. Where not said otherwise a rate is per second of processor time, our own and the database
server's together, so that neighbours count less. They still count: caches are shared, and a waiting
time is only what it was in that hour. *Load* is the load average before and after the measurement: with
nothing beside it, it is below two; above two, other work was running on the same two cores and the rates
are too low, the waiting times far too long.

| measured | figure | limit or goal | ratio | wanted | holds | form | load |
|---|---|---|---|---|---|---|---|
"""


def page(results: dict[str, Any]) -> str:
    """The whole page."""
    lines = [line for key, found in results.items() for line in _lines(key, found)]
    return HEAD + "\n".join(lines) + "\n" + _more(results)


def _line(found: dict[str, Any], *cells: object) -> str:
    load = f"{found['load_average_before']} to {found['load_average_after']}"
    return "| " + " | ".join(str(cell) for cell in (*cells, found["size"], load)) + " |"


def _yes(*, holds: bool) -> str:
    return "yes" if holds else "**no**"


def _lines(key: str, found: dict[str, Any]) -> list[str]:
    name, _, kind = key.partition(" ")
    kind = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[kind]
    return _OF[name](found, found["figures"], kind)


def _ingest(found: dict[str, Any], it: dict[str, Any], kind: str) -> list[str]:
    rate, limit = (
        f"{it['messages_per_cpu_second']:,} messages/s",
        f"{it['flat_rows_per_cpu_second']:,} rows/s",
    )
    return [
        _line(found, f"Ingest of {it['messages']:,}, {kind}", rate, limit + " (flat table)", it["ratio"],
              f"at least {it['goal_ratio']}", _yes(holds=it["holds"]))
    ]  # fmt: skip


def _journal(found: dict[str, Any], it: dict[str, Any], kind: str) -> list[str]:
    written, verified = it["append_and_seal_per_cpu_second"], it["verify_per_cpu_second"]
    return [
        _line(found, f"Journal: append and seal, {kind}", f"{written:,} facts/s", f"{it['goal']:,}",
              it["ratio"], "at least 1", _yes(holds=it["ratio"] >= 1)),
        _line(found, f"Journal: verify, {kind}", f"{verified:,} facts/s", f"{it['verify_goal']:,}",
              it["verify_ratio"], "at least 1", _yes(holds=it["verify_ratio"] >= 1)),
        _line(found, f"The same, beside a bare log (a row and a hash each), {kind}", f"{written:,} facts/s",
              f"{it['bare_log_per_cpu_second']:,}", it["to_bare_log"], "", ""),
        _line(found, f"And beside reading and hashing it, {kind}", f"{verified:,} facts/s",
              f"{it['bare_walk_per_cpu_second']:,}", it["to_bare_walk"], "", ""),
    ]  # fmt: skip


def _front(found: dict[str, Any], it: dict[str, Any], kind: str) -> list[str]:
    return [
        _line(found, f"Webhook front, {kind} (by the clock; by processor time {it['ratio_by_cpu']})",
              f"{it['front']['per_second']:,.0f} requests/s",
              f"{it['null']['per_second']:,.0f} (null handler)",
              it["ratio"], f"at least {it['goal_ratio']}", _yes(holds=it["holds"])),
        _line(found, f"Its p99, {kind}", f"{it['front']['p99_ms']:.0f} ms",
              f"{it['null']['p99_ms']:.0f} ms (null handler)", "", "", ""),
        _line(found, f"Its p99 beside ingest, {kind}", f"{it['front_beside_ingest']['p99_ms']:.0f} ms",
              "", "", "", ""),
    ]  # fmt: skip


def _idle(found: dict[str, Any], it: dict[str, Any], _kind: str) -> list[str]:
    rows = []
    for name in ("without_channels", "with_one_sandbox_channel"):
        one, words = it[name], name.replace("_", " ")
        rows += [
            _line(found, f"Idle, {words}", f"{one['cpu_percent']} % of a core", "1 %", one["cpu_percent"],
                  "below 1", _yes(holds=one["cpu_percent"] < 1)),
            _line(found, f"Memory, {words} ({one['processes']} processes, PSS)", f"{one['pss_mb']} MB",
                  "250 MB", round(one["pss_mb"] / 250, 2), "below 1", _yes(holds=one["pss_mb"] < 250)),
        ]  # fmt: skip
    for name, words in (("without_channels", "Second start"), ("first_start", "First start")):
        one = it[name]
        seconds = one["seconds_to_first_page"]
        rows.append(
            _line(found, f"{words}: to the first page ({one['cpu_seconds_to_first_page']} s of processor)",
                  f"{seconds} s", "5 s", round(seconds / 5, 2), "at most 1", _yes(holds=seconds <= 5))
        )  # fmt: skip
    return rows


def _pages(found: dict[str, Any], it: dict[str, Any], kind: str) -> list[str]:
    rows = []
    for name, one in it.items():
        if isinstance(one, dict):
            count = f"{int(name.split('_')[1]):,}"
            for page_name in ("list", "case"):
                times = one[page_name]
                figure = (
                    f"{times['cpu_ms']} ms ours, p50 {times['wall_p50_ms']} ms, p95 {times['wall_p95_ms']} ms"
                )
                rows.append(
                    _line(found, f"Inbox, {page_name}, {count} messages, {kind}", figure, "", "", "", "")
                )
    return rows


_OF = {"ingest": _ingest, "journal": _journal, "front": _front, "idle": _idle, "pages": _pages}


def _more(results: dict[str, Any]) -> str:
    """Memory over time, which a table row cannot show."""
    lines = []
    for key, found in results.items():
        if key.startswith("ingest"):
            samples = ", ".join(f"{held} MB at {count:,}" for count, held in found["figures"]["resident_mb"])
            growth = found["figures"]["resident_growth_mb_after_warm_up"]
            lines.append(f"- {key}: {samples}; {growth} MB more at the end than after the first fifth.")
    return ("\nResident memory while taking in:\n\n" + "\n".join(lines) + "\n") if lines else ""
