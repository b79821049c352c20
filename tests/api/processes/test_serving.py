"""What a server does with its own process while it serves."""

import asyncio
import gc

from fastapi import FastAPI

from api.app import create_app
from api.cli.serve import _Server, serve_app
from api.gate.limits import Limits


def test_what_stays_is_kept_from_the_garbage_collector_for_as_long_as_it_stays(tmp_path):
    app = create_app(tmp_path)

    async def serve():
        async with app.router.lifespan_context(app):
            return gc.get_freeze_count()

    assert asyncio.run(serve()) > 0
    assert gc.get_freeze_count() == 0


def test_a_connection_is_kept_for_a_next_request_as_long_as_the_operator_says(monkeypatch):
    served = []
    monkeypatch.setattr(_Server, "run", lambda self, **_: served.append(self.config))

    serve_app(FastAPI(), [], "127.0.0.1", 0, Limits(idle_s=75))

    assert served[0].timeout_keep_alive == 75
