"""Where the project and the data of its tests lie."""

from pathlib import Path

TESTS = Path(__file__).parent
HOUSE = TESTS.parent
DATA = TESTS / "data"
GOLDEN = TESTS / "golden"
