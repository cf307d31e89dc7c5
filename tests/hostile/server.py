"""The hostile provider: sockets, ten kinds of fault, a log that cannot be relied on, and honest books.

It shares nothing with the dialer nor with its simulator, so that a misreading of the vendors' pages would have to be
made twice to go unseen.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from random import Random
from threading import Thread
from typing import Any
from uuid import UUID

from tests.hostile import wire
from tests.hostile.books import NO_ANSWER, Books, Call, live
from tests.hostile.habits import Habits
from tests.hostile.rows import row

DECK = 40
PATHS = {"vaanivoice": ("/api/trigger-call/", "/api/call-history"), "vaani": ("/calls/outbound_call", "/calls/logs")}
BIGGEST_PAGE = {"vaanivoice": 200, "vaani": 100}
DEFAULT_PAGE = {"vaanivoice": 50, "vaani": 25}
NEVER = float("inf")


class HostileServer:
    """One provider in one dialect with one set of habits."""

    def __init__(self, habits: Habits, now: Callable[[], float], seed: int = 1) -> None:
        self.habits, self.books, self._now = habits, Books(), now
        self.url = ""
        self._random = Random(seed)
        self._deck: list[str] = []
        self._numbers = 0
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._port = 0

    @contextmanager
    def listening(self) -> Iterator["HostileServer"]:
        """Serve in a thread of its own for the block."""
        thread = Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        try:
            self.come()
            yield self
        finally:
            self.leave()
            asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()

    def come(self) -> None:
        """Listen; at the same address as before."""
        opening = asyncio.start_server(self._serve, "127.0.0.1", self._port, backlog=1000)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result(10)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def leave(self) -> None:
        """Refuse connections and cut those there are."""

        async def close() -> None:
            if self._server is not None:
                self._server.close()
            for writer in list(self._writers):
                wire.reset(writer)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError):
            while await self._one(reader, writer):
                pass
        self._writers.discard(writer)
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection lives on."""
        asked = await wire.read(reader)
        if asked is None:
            return False
        place, logs = PATHS[self.habits.dialect]
        if (asked.method, asked.path) == ("POST", place):
            return await self._place(asked, writer)
        if (asked.method, asked.path) == ("GET", logs):
            return await self._logs(asked, writer)
        self.books.refusals.append(f"{asked.method} {asked.path}")
        writer.write(wire.answer(404, {"detail": "Not Found"}))
        await writer.drain()
        return True

    # placing

    def _fate(self) -> str:
        """The next card: of forty, as many faults as their share says, each kind as often as the others."""
        if not self._deck:
            kinds = list(self.habits.places)
            faults = round(DECK * self.habits.fault_share)
            self._deck = [kinds[n % len(kinds)] for n in range(faults)] + [""] * (DECK - faults)
            self._random.shuffle(self._deck)
        return self._deck.pop()

    async def _place(self, asked: wire.Asked, writer: asyncio.StreamWriter) -> bool:
        told = self._understood(asked)
        if told is None:
            writer.write(wire.answer(422, {"detail": [{"loc": ["body"], "msg": "field required", "type": "missing"}]}))
            await writer.drain()
            return True
        fate = self._fate()
        self.books.requests.append((self._now(), told[0], fate))
        call = self._ring(told, fate) if self.habits.places.get(fate, True) else None
        return await self._answer(fate, call, writer)

    def _understood(self, asked: wire.Asked) -> tuple[str, str, dict[str, Any]] | None:
        """Number, agent and what came with them; None for a request that breaks the contract."""
        try:
            body = asked.json()
            if self.habits.dialect == "vaanivoice":
                assert body["medium"] == "telephony" and isinstance(body["name"], str)
                found = body["contact_number"], body["agent_id"], body.get("metadata", {})
            else:
                found = body["phone_number_to_dial"], body["agent_phone_number"], body.get("dynamic_variables", {})
            assert asked.headers["x-api-key"] == self.habits.key
            assert found[0].startswith("+") and found[0][1:].isdigit() and isinstance(found[2], dict)
        except (ValueError, KeyError, AssertionError, AttributeError) as wrong:
            self.books.refusals.append(repr(wrong))
            return None
        return found

    def _ring(self, told: tuple[str, str, dict[str, Any]], fault: str, ours: bool = True) -> Call:
        random, habits, now = self._random, self.habits, self._now()
        late = habits.late_s if random.random() < habits.late else 0.0
        picked, ended, shown, outcome = live(random, now, late)
        if not habits.logs_unanswered and picked is None:
            shown = NEVER
        first = self._id(now)
        call = Call(
            to=told[0],
            agent=told[1],
            given=told[2],
            answer_id=first,
            log_id=self._id(now) if habits.id_changes else first,
            placed_at=now,
            picked_at=picked,
            ended_at=ended,
            shown_at=shown,
            outcome=outcome,
            told=NO_ANSWER if picked is None and habits.words in ("ancestor", "none") else outcome,
            fault=fault,
            ours=ours,
        )
        self.books.calls.append(call)
        if ours and random.random() < habits.strangers:
            self._numbers += 1
            self._ring((f"+9170{self._numbers:08d}", told[1], {}), "", ours=False)
        return call

    def _id(self, now: float) -> str:
        if self.habits.dialect == "vaani":
            return str(UUID(int=self._random.getrandbits(128)))
        return f"outbound-{int(now)}-{self._random.getrandbits(32):08x}"

    def _accepted(self, call: Call) -> Any:
        habits, call_id = self.habits, call.answer_id if self.habits.id_in_answer else None
        if habits.dialect == "vaani":
            plain: dict[str, Any] = {"detail": f"Outgoing call to {call.to} initiated successfully."}
            if habits.answer == "minimal":
                return {}
            return {**plain, "call_log_id": call_id} if call_id and habits.answer == "flat" else plain
        if habits.answer == "minimal":
            return {"success": True, "output": None} if call_id is None else {"call_id": call_id}
        if habits.answer == "flat":
            return {"success": True, "call_id": call_id}
        if habits.answer == "text":
            output: Any = f"Dispatched agent acme_bot to room {call_id}, dispatch AD_x1y2z3"
        else:
            output = {"agent_name": "acme_bot", "call_id": call_id}
        return {"success": True, "message": "Call initiated successfully", "output": output, "error": None}

    async def _answer(self, fate: str, call: Call | None, writer: asyncio.StreamWriter) -> bool:
        whole = wire.answer(200, self._accepted(call)) if call is not None else b""
        match fate:
            case "429":
                wait = [f"retry-after: {self._random.choice((0, 0, 0, 1))}"]
                writer.write(wire.answer(429, {"detail": "Too many requests"}, *wait))
            case "500" | "500 after placing":
                writer.write(wire.answer(500, {"detail": "Internal Server Error"}))
            case "502 or 504 after placing":
                page = b"<html><h1>Bad Gateway</h1></html>"
                writer.write(wire.answer(self._random.choice((502, 504)), page))
            case "reset unread":
                wire.reset(writer)
                return False
            case "dropped after placing":
                return False
            case "late answer":
                await asyncio.sleep(self.habits.stall_s)
                writer.write(whole)
            case "half an answer":
                writer.write(wire.half(whole))
                await writer.drain()
                return False
            case "not JSON":
                writer.write(wire.answer(200, self._random.choice((b"OK", b"", b"<html></html>", b'{"a":1'))))
            case "says nothing of use":
                writer.write(wire.answer(*self._useless()))
            case _:
                writer.write(whole)
        await writer.drain()
        return True

    def _useless(self) -> tuple[int, Any]:
        nothing: Sequence[tuple[int, Any]] = (
            (200, []), (200, "queued"), (202, None), (409, {"detail": "Conflict"}), (408, {"detail": "Timeout"}),
            (200, {"success": False, "error": "dispatch failed", "output": None}),
        )  # fmt: skip
        return self._random.choice(nothing)

    # logs

    async def _logs(self, asked: wire.Asked, writer: asyncio.StreamWriter) -> bool:
        self.books.pages += 1
        if self._random.random() < self.habits.page_faults:
            self.books.page_faults += 1
            return await self._bad_page(writer)
        writer.write(wire.answer(200, self._page(asked)))
        await writer.drain()
        return True

    async def _bad_page(self, writer: asyncio.StreamWriter) -> bool:
        empty = {"detail": "Invalid client_id format"}
        match self._random.randrange(8):
            case 0:
                writer.write(wire.answer(500, empty))
            case 1:
                wire.reset(writer)
                return False
            case 2:
                writer.write(wire.half(wire.answer(200, {"data": [], "pagination": {"total_count": 0}})))
                await writer.drain()
                return False
            case 3:
                writer.write(wire.answer(200, b"<html></html>"))
            case 4:
                writer.write(wire.answer(200, {"data": None, "pagination": None}))
            case 5:
                writer.write(wire.answer(429, {"detail": "Too many requests"}, "retry-after: 0"))
            case 6:
                await asyncio.sleep(self.habits.slow_page_s)
                writer.write(wire.answer(504, b""))
            case _:
                writer.write(wire.answer(200, empty))
        await writer.drain()
        return True

    def _page(self, asked: wire.Asked) -> Any:
        habits, now = self.habits, self._now()
        page = int(asked.query.get("page", "1"))
        size = int(asked.query.get("page_size", DEFAULT_PAGE[habits.dialect]))
        size = min(size, BIGGEST_PAGE[habits.dialect], habits.largest_page)
        shown = [call for call in self.books.calls if self._shows(call, now)]
        shown.sort(key=lambda call: call.placed_at, reverse=habits.newest_first)
        first = (page - 1) * size
        rows = shown[first : first + size]
        if page > 1 and rows and self._random.random() < habits.repeats:
            rows = [shown[first - 1], *rows[:-1]] if len(rows) == size and size > 1 else [shown[first - 1], *rows]
        if self._random.random() < habits.shuffles:
            self._random.shuffle(rows)
        if self._random.random() < habits.lies_empty:
            rows = []
        told = [row(call, habits, now) for call in rows]
        return self._envelope(told, page, size, len(shown))

    def _shows(self, call: Call, now: float) -> bool:
        if call.shown_at == NEVER:
            return False
        return call.shown_at <= now or (self.habits.rows_from == "start" and call.placed_at + 0.05 <= now)

    def _envelope(self, rows: list[Any], page: int, size: int, count: int) -> Any:
        habits = self.habits
        if habits.envelope == "bare":
            return rows
        pages = -(-count // size)
        told = {"low": max(0, count // 2), "high": count + 37}.get(habits.total, count)
        total: dict[str, Any] = {} if habits.total == "none" else {"total": told, "total_count": told}
        if habits.envelope != "documented":
            return {habits.envelope: rows, **total}
        paging: dict[str, Any] = {"page": page, "page_size": size, **total}
        if habits.total == "true":
            paging["total_pages"] = pages
        if habits.dialect == "vaani":
            return {"call_logs": rows, **paging}
        if habits.total == "true":
            paging |= {"has_next": page < pages, "has_previous": page > 1}
        return {"data": rows, "pagination": paging}


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
