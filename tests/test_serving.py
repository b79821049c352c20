"""What a server does with its own process while it serves."""

import asyncio
import gc

from api.app import create_app


def test_what_stays_is_kept_from_the_garbage_collector_for_as_long_as_it_stays(tmp_path):
    app = create_app(tmp_path)

    async def serve():
        async with app.router.lifespan_context(app):
            return gc.get_freeze_count()

    assert asyncio.run(serve()) > 0
    assert gc.get_freeze_count() == 0
