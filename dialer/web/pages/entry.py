"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from dialer.pipeline.keep_access import SESSION_S
from dialer.web.access import Rooms, Viewer, address_of, cookie_name, guesses_of, is_secure, refuse_foreign
from dialer.web.pages.parts import show

routes = APIRouter(include_in_schema=False)
LONGEST_TOKEN = 200


@routes.get("/login")
async def ask(request: Request, back: str = "/") -> Response:
    """The form for a token."""
    return show(request, None, "login.html", back=_ours(back), wrong=False)


@routes.post("/login")
async def sign_in(
    request: Request,
    rooms: Rooms,
    token: Annotated[str, Form(max_length=LONGEST_TOKEN)] = "",
    back: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Open a session with a token."""
    refuse_foreign(request)
    return await _open(request, rooms, token.strip(), _ours(back))


@routes.get("/enter/{token}")
async def enter(token: str, request: Request, rooms: Rooms) -> Response:
    """The link that was printed when the program started: it opens one session."""
    return await _open(request, rooms, token[:LONGEST_TOKEN], "/")


@routes.post("/logout")
async def sign_out(request: Request, rooms: Rooms, asker: Viewer) -> Response:
    """End the session."""
    await rooms.access.sign_out(request.cookies.get(cookie_name(request), ""))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(cookie_name(request), path="/", secure=is_secure(request), httponly=True, samesite="lax")
    return answer


async def _open(request: Request, rooms: Rooms, token: str, back: str) -> Response:
    guesses, address = guesses_of(request), address_of(request)
    guesses.check(address)
    opened = await rooms.access.sign_in(token, address)
    if opened is None:
        guesses.note(address)
        return show(request, None, "login.html", 403, back=back, wrong=True)
    if before := request.cookies.get(cookie_name(request), ""):
        await rooms.access.sign_out(before)
    answer = RedirectResponse(back, 303)
    answer.set_cookie(
        cookie_name(request), opened[1], int(SESSION_S), path="/", secure=is_secure(request), httponly=True,
        samesite="lax",
    )  # fmt: skip
    return answer


def _ours(back: str) -> str:
    """An address of this page, never another site's."""
    ours = back.startswith("/") and not back.startswith("//") and "\\" not in back and back.isprintable()
    return back if ours else "/"
