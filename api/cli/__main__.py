"""``python -m api.cli`` is ``leifeng`` where nothing is installed."""

from api.cli import main

main()
