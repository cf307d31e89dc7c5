"""Dialect A over real sockets: what the wire contract's section 2 promises, and the switches of 2.12."""

from typing import Any
from uuid import UUID

import pytest

from tests.simulator_support import AGENT_NUMBER, line


async def test_an_accepted_call_answers_with_a_sentence() -> None:
    async with line() as it:
        answer = await it.outbound(dynamic_variables={"account": "A1"})
        assert (answer.status_code, list(answer.json())) == (200, ["detail"])
        order = it.simulator.books.calls[0].order
        assert (order.to, order.agent, order.variables) == ("+14155550123", AGENT_NUMBER, {"account": "A1"})


@pytest.mark.parametrize(("kind", "status", "key"), [("call_log_id", 200, "call_log_id"), ("id", 200, "id")])
async def test_the_answer_may_carry_an_id(kind: str, status: int, key: str) -> None:
    async with line(vaani_answer=kind) as it:
        answer = await it.outbound()
        assert answer.status_code == status
        assert UUID(answer.json()[key]) == UUID(it.simulator.books.calls[0].call_id)


async def test_the_answer_may_be_a_201() -> None:
    async with line(vaani_answer="created") as it:
        assert (await it.outbound()).status_code == 201


@pytest.mark.parametrize("headers", [{"X-API-Key": "right"}, {"Cookie": "access_token=right"}])
async def test_a_key_or_a_cookie_lets_in(headers: dict[str, str]) -> None:
    async with line(key="right") as it:
        del it.http.headers["X-API-Key"]
        refused = await it.http.get("/calls/logs")
        assert (refused.status_code, refused.json()) == (401, {"detail": "Invalid or missing token"})
        assert (await it.http.get("/calls/logs", headers=headers)).status_code == 200


@pytest.mark.parametrize("number", ["12", "4155550123", "", None, 5])
async def test_a_malformed_number_is_a_400(number: Any) -> None:
    async with line() as it:
        answer = await it.http.post(
            "/calls/outbound_call", json={"agent_phone_number": AGENT_NUMBER, "phone_number_to_dial": number}
        )
        assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid phone number format"})


async def test_an_unknown_agent_is_a_404() -> None:
    async with line(agents=("+16505550199",)) as it:
        answer = await it.outbound()
        assert (answer.status_code, answer.json()) == (404, {"detail": "Agent not found"})


@pytest.mark.parametrize(("shape", "kind"), [("list", list), ("detail", str)])
async def test_a_422_is_a_list_or_a_text(shape: str, kind: type) -> None:
    async with line(vaani_422=shape) as it:
        answer = await it.outbound(dynamic_variables="text")
        assert answer.status_code == 422
        assert isinstance(answer.json()["detail"], kind)


async def test_an_answered_call_leaves_a_log() -> None:
    async with line() as it:
        await it.outbound(dynamic_variables={"account": "A1"})
        call_id = it.simulator.books.calls[0].call_id
        assert (await it.http.get(f"/calls/{call_id}")).json() == {"detail": "Call log not found"}
        it.clock.advance(17)
        page = await it.logs()
        (item,) = page["call_logs"]
        assert {key: page[key] for key in ("total", "page", "page_size", "total_pages")} == {
            "total": 1,
            "page": 1,
            "page_size": 25,
            "total_pages": 1,
        }
        assert (item["called_number"], item["agent_phone_number"]) == ("+14155550123", AGENT_NUMBER)
        assert (item["start_time"], item["end_time"]) == ("2026-09-21T14:13:21.000000", "2026-09-21T14:13:35.000000")
        assert (item["duration"], item["call_type"], item["call_end_reason"]) == (10.0, "phone", "Completed")
        assert item["total_cost"] == 1.0
        assert "dynamic_variables" not in item
        assert (await it.http.get(f"/calls/{call_id}")).json() == item


async def test_switches_of_a_log() -> None:
    async with line(vaani_call_type="sip", vaani_variables=True, outcomes={"voicemail": 1.0}) as it:
        await it.outbound(dynamic_variables={"account": "A1"})
        it.clock.advance(60)
        (item,) = (await it.logs(call_type="phone"))["call_logs"]
        assert (item["call_type"], item["dynamic_variables"]) == ("sip", {"account": "A1"})
        assert (item["disposition"], item["duration"]) == ("voicemail", 2.0)


@pytest.mark.parametrize("outcome", ["no_answer", "busy", "rejected", "failed"])
async def test_an_unanswered_call_leaves_no_log_unless_switched_on(outcome: str) -> None:
    async with line(outcomes={outcome: 1.0}) as it:
        await it.outbound()
        it.clock.advance(90)
        assert (await it.logs())["call_logs"] == []
    async with line(outcomes={outcome: 1.0}, vaani_unanswered=True) as it:
        await it.outbound()
        it.clock.advance(90)
        (item,) = (await it.logs())["call_logs"]
        assert item["duration"] == 0
        assert item["call_end_reason"].lower().replace(" ", "_") == outcome


@pytest.mark.parametrize("envelope", ["call_logs", "items", "logs", "data", "array"])
async def test_the_list_comes_in_every_envelope(envelope: str) -> None:
    async with line(vaani_list=envelope) as it:
        await it.outbound()
        it.clock.advance(60)
        answer = await it.logs()
        items = answer if envelope == "array" else answer[envelope]
        assert [item["called_number"] for item in items] == ["+14155550123"]
        assert (envelope != "data") or answer["pagination"]["total"] == 1


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_pages_follow_the_order(order: str) -> None:
    async with line(vaani_order=order) as it:
        for last in range(5):
            await it.outbound(f"+1415555012{last}")
            it.clock.advance(1)
        it.clock.advance(60)
        pages = [(await it.logs(page=number, page_size=2))["call_logs"] for number in (1, 2, 3, 4)]
        numbers = [item["called_number"][-1] for page in pages for item in page]
        assert numbers == (list("43210") if order == "newest" else list("01234"))
        assert [len(page) for page in pages] == [2, 2, 1, 0]
        assert (await it.http.get("/calls/logs", params={"page_size": 101})).status_code == 422


async def test_filters_narrow_the_list() -> None:
    async with line() as it:
        await it.outbound("+14155550120")
        await it.outbound("+14155550121", agent_phone_number="+16505550111")
        it.clock.advance(86_400)
        await it.outbound("+14155550122")
        it.clock.advance(60)

        async def called(**query: str) -> list[str]:
            return [item["called_number"][-1] for item in (await it.logs(**query))["call_logs"]]

        agent_id = (await it.logs())["call_logs"][0]["agent_id"]
        assert await called(agent_id=agent_id) == ["2", "0"]
        assert await called(agent_id="ag_nobody") == []
        assert await called(call_type="web") == []
        assert await called(start_date="2026-09-22") == ["2"]
        assert await called(end_date="2026-09-21") == ["1", "0"]
        assert await called(start_date="2026-09-21T14:13:21Z", end_date="2026-09-21T19:43:21+05:30") == ["1", "0"]
        assert await called(start_date="2026-09-21T14:13:22") == ["2"]
        assert (await it.http.get("/calls/logs", params={"start_date": "soon"})).status_code == 422


async def test_fixed_names_are_not_taken_for_ids() -> None:
    async with line() as it:
        assert (await it.http.get("/calls/export-csv")).status_code == 200
        assert (await it.http.get("/calls/generate-token")).status_code == 400
        assert (await it.http.get("/calls/logs/")).status_code == 307


async def test_the_two_dialects_do_not_see_each_others_calls() -> None:
    async with line() as it:
        await it.trigger()
        await it.outbound()
        it.clock.advance(60)
        assert [row["to_number"] for row in (await it.history())["data"]] == ["+919876543210"]
        assert [item["called_number"] for item in (await it.logs())["call_logs"]] == ["+14155550123"]
        vaanivoice_id = (await it.history())["data"][0]["call_id"]
        assert (await it.http.get(f"/calls/{vaanivoice_id}")).status_code == 404
