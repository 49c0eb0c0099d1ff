"""``python -m tests.chaos``: the long form, by hand; ``make chaos`` runs it as tests."""

from __future__ import annotations

import contextlib
import json
import random
import sys
from pathlib import Path

import click

from tests.servers.postgres import postgres
from tests.servers.rabbitmq import rabbitmq

from . import harness


@click.command()
@click.option("--messages", default=3000, show_default=True)
@click.option("--answers", default=0, help="Default: a quarter of the messages.")
@click.option("--pushes", default=0, help="Deliveries by webhook. Default: as many as messages.")
@click.option("--minutes", default=4.0, show_default=True, help="How long people talk and processes die.")
@click.option("--database", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--broker", is_flag=True, help="With RabbitMQ, two workers and a process for the streams.")
@click.option("--kill-every", default=6.0, show_default=True, help="Seconds between kills, on average.")
@click.option("--seed", type=int, help="The same seed decides the same. Default: a new one.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the result."
)
@click.option(
    "--logs", type=click.Path(file_okay=False, path_type=Path), help="Keep the processes' logs here."
)
def main(
    messages: int,
    answers: int,
    pushes: int,
    minutes: float,
    database: str,
    broker: bool,
    kill_every: float,
    seed: int | None,
    json_file: Path | None,
    logs: Path | None,
) -> None:
    """Kill anything anywhere, then compare what people said with what stands."""
    with contextlib.ExitStack() as life:
        settings = {}
        if database == "postgresql":
            settings["HEARD_DATABASE_URL"] = life.enter_context(postgres()).url
        if broker:
            settings["HEARD_BROKER_URL"] = life.enter_context(rabbitmq()).url
        result = harness.run(
            harness.Options(
                messages=messages,
                answers=answers or messages // 4,
                pushes=pushes or messages,
                seconds=minutes * 60,
                kill_every_seconds=kill_every,
                seed=seed if seed is not None else random.SystemRandom().randrange(1_000_000),
                settings=settings,
                workers=2 if broker else 1,
                separate_stream=broker,
            )
        )
    harness.show(result)
    if json_file:
        json_file.write_text(json.dumps(result.plain(), indent=2) + "\n")
    if logs:
        logs.mkdir(parents=True, exist_ok=True)
        for name, text in result.logs.items():
            (logs / f"{name}.log").write_text(text)
    sys.exit(1 if result.wrong else 0)


if __name__ == "__main__":
    main()
