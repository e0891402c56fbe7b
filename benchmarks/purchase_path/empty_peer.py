"""The framework's own price: a FastAPI endpoint that does nothing, not even read what it is sent."""

from __future__ import annotations

from fastapi import FastAPI

app = FastAPI()


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {}


@app.post("/v1/purchases", status_code=201)
async def post_purchase() -> dict[str, str]:
    return {}
