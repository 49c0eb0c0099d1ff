"""What several operations need: databases of their own on the throw-away server."""

import psycopg
import pytest


@pytest.fixture
def databases(postgres_server):
    """Makes empty databases on the throw-away server; returns their addresses."""
    made = []

    def make(name):
        with psycopg.connect(postgres_server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        made.append(name)
        return postgres_server.url.rsplit("/", 1)[0] + f"/{name}"

    yield make
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
