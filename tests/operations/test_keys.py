"""Keys are rotated by the command, whether they lie in the file or come from HEARD_KEYS."""

from __future__ import annotations

import pytest

from heard.foundation.crypto import new_key

from .installation import Installation


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_keys_of_the_environment_are_rotated_to_the_last_one(tmp_path):
    old, new = new_key(), new_key()
    company = Installation(tmp_path / "data", environment={"HEARD_KEYS": old}).with_customers(1)
    assert not (company.data / "keys").exists()
    ((before,),) = company.ask("SELECT secrets FROM channels_channel")
    company.environment["HEARD_KEYS"] = f"{old},{new}"
    first, last = company.works("key", "list").split()
    assert before.startswith(f"v1:{first}:")
    said = company.works("key", "rotate")
    assert f"Key {last} encrypts now" in said
    assert "the secrets of 1 channel and 0 second factors" in said
    ((after,),) = company.ask("SELECT secrets FROM channels_channel")
    assert after.startswith(f"v1:{last}:")
    company.environment["HEARD_KEYS"] = new
    assert "The secrets of all channels open." in company.works("doctor")
    company.environment["HEARD_KEYS"] = old
    assert "do not open" in company.run("doctor").stdout
