"""What no single room owns: architecture, house rules of the test run, journeys, real servers."""
