"""What every test run has: a scratch installation, the house rules, the cast, a browser, the real servers."""

from pathlib import Path

from hypothesis import settings

from tests.house import environment

# A busy machine is no bug: speed is measured under benchmarks/, never here.
settings.register_profile("heard", deadline=None)
settings.load_profile("heard")

TESTS = Path(__file__).parent / "tests"

environment.prepare()

pytest_plugins = [
    "tests.house.loopback",
    "tests.house.left_out",
    "tests.house.chromium",
    *(f"tests.{path.stem}" for path in sorted(TESTS.glob("cast.py"))),
    # Adding a file is the whole change: see tests/servers/README.md.
    *(f"tests.servers.{path.stem}" for path in sorted((TESTS / "servers").glob("*_fixture.py"))),
]
