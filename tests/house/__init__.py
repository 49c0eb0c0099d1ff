"""The rules of every test run: nothing leaves the machine, and what was left out is said aloud."""
