"""The limit of any handler: endpoints that take the same requests in, and do nothing.

Same framework, same server settings, same body and the same validation of it, an answer of the
same shape; nobody at the door, nothing decided, nothing kept.
"""

from __future__ import annotations

from argparse import ArgumentParser

import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response

from api.routes.donations import NewPledge
from bench.load import HOST

CREATED = b'{"id":"01a20737-75c3-7cc1-b1f2-e52f15c6c3a7","position":12345}'
LOCATION = "/v1/donations/01a20737-75c3-7cc1-b1f2-e52f15c6c3a7"
BALANCE = (
    b'{"fund":"F-1","currency":"CNY","position":12345,"as_of":null,"received":19352089,'
    b'"reserved":0,"paid":17555000,"acknowledged":0,"pledged":650000,"suspense":0,'
    b'"receivable":0,"balance":1797089,"available":1797089}'
)

app = FastAPI()


@app.post("/v1/donations", status_code=201)
async def pledge(body: NewPledge) -> Response:  # noqa: ARG001  # Validated, as ours is.
    """Take a pledge in and forget it."""
    return Response(CREATED, 201, {"Location": LOCATION}, media_type="application/json")


@app.get("/v1/funds/{code}/balance")
async def balance(code: str) -> Response:  # noqa: ARG001  # Routed, as ours is.
    """Answer with the balance of no fund."""
    return Response(BALANCE, media_type="application/json")


if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(
        app, host=HOST, port=parser.parse_args().port, log_level="warning", access_log=False
    )
