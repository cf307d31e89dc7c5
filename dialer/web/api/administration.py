"""Tokens and the audit."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from dialer.pipeline.keep_access import token_document
from dialer.web.access import Admin, Rooms

routes = APIRouter(prefix="/api/v1", tags=["administration"])
MOST = 500


class NewToken(BaseModel):
    """Whose token, which role, until when ("90d", "12h"; "" for never)."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=60)
    role: Literal["viewer", "operator", "admin"] = "viewer"
    expires: str = Field("", max_length=8)


@routes.get("/tokens", summary="Every token, without its secret")
async def tokens(rooms: Rooms, asker: Admin) -> dict[str, Any]:
    """As `dialer token list --json`."""
    data = [token_document(one) for one in await rooms.access.tokens()]
    return {"data": data, "has_more": False, "next": None}


@routes.post("/tokens", status_code=201, summary="Make a token")
async def add_token(wanted: NewToken, rooms: Rooms, asker: Admin) -> dict[str, Any]:
    """`token` is shown this once; the ledger keeps only its hash."""
    token_id, token = await rooms.access.add(wanted.name, wanted.role, wanted.expires, asker.by())
    return {"token_id": token_id, "name": wanted.name, "role": wanted.role, "token": token}


@routes.delete("/tokens/{token_id:int}", summary="End a token and its sessions")
async def revoke_token(token_id: int, rooms: Rooms, asker: Admin) -> dict[str, Any]:
    """From then on it is not valid."""
    revoked = await rooms.access.revoke(str(token_id), asker.by())
    return {"token_id": revoked.token_id, "name": revoked.name, "revoked": True}


@routes.get("/audit", summary="Who did what, the newest first")
async def audit(
    rooms: Rooms,
    asker: Admin,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    after: Annotated[int | None, Query(ge=1, description="`next` of the page before.")] = None,
) -> dict[str, Any]:
    """Each act as `dialer audit --json` has it."""
    page = await rooms.recent_acts.page(limit, after)
    return {"data": page.documents, "has_more": page.next_after is not None, "next": page.next_after}
