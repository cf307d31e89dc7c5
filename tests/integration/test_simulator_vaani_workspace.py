"""Dialect A's knowledge files and phone numbers, through the client (wire contract, section 2.9)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.client import VaaniApi
from dialer.errors import CallRefused, KeyRefused, NoCredit, NotFound, RequestInvalid
from tests.provider_api import every
from tests.simulator_support import AGENT_NUMBER, Line, line


@asynccontextmanager
async def workspace(**options: object) -> AsyncIterator[tuple[Line, VaaniApi]]:
    """A simulator, and the client of somebody who logged in."""
    async with (
        line(**options) as it,
        VaaniApi(Endpoint(base_url=it.simulator.url), SystemClock(), Random(1)) as api,
    ):
        await api.login.log_in("ann@example.test", "any")
        yield it, api


async def test_an_agent_answers_from_its_files(tmp_path: Path) -> None:
    hours = tmp_path / "hours & more.txt"
    hours.write_text("We are open from nine to five.\n\nParking is free.\n")
    async with workspace() as (_, api):
        (agent,) = await every(api.agents.list())
        made = await api.files.upload(agent.agent_id, hours)
        assert (made.name, made.raw["size_bytes"]) == (hours.name, hours.stat().st_size)
        assert [file.name for file in await every(api.files.list(agent.agent_id))] == [hours.name]
        found = await api.files.query(agent.agent_id, "When OPEN?")
        assert (found.answer, len(found.results)) == ("We are open from nine to five.", 1)
        assert (await api.files.query(agent.agent_id, "refunds")).results == []
        await api.files.delete(agent.agent_id, hours.name)
        assert await every(api.files.list(agent.agent_id)) == []
        with pytest.raises(NotFound, match="File not found"):
            await api.files.delete(agent.agent_id, hours.name)
        with pytest.raises(NotFound, match="Agent not found"):
            await api.files.upload("ag_nobody", hours)
        with pytest.raises(RequestInvalid):
            await api.files.query(agent.agent_id, " ")


async def test_a_number_is_bought_given_to_an_agent_and_given_back() -> None:
    async with workspace() as (_, api):
        offers = await every(api.numbers.search({"area_code": "415"}))
        assert [offer.phone_number for offer in offers][:2] == ["+14155550160", "+14155550161"]
        bought = await api.numbers.purchase("+14155550160")
        assert (bought.phone_number, bought.agent_id) == ("+14155550160", "")
        assert "+14155550160" not in [offer.phone_number for offer in await every(api.numbers.search())]
        with pytest.raises(CallRefused, match="already registered"):
            await api.numbers.purchase("+14155550160")
        with pytest.raises(NotFound, match="not for sale"):
            await api.numbers.purchase("+14155550199")
        (agent,) = await every(api.agents.list())
        assert (await api.numbers.update(bought.line_id, {"agent_id": agent.agent_id})).agent_id == agent.agent_id
        with pytest.raises(NotFound, match="Agent not found"):
            await api.numbers.update(bought.line_id, {"agent_id": "ag_nobody"})
        assert [one.phone_number for one in await every(api.numbers.list())] == [AGENT_NUMBER, "+14155550160"]
        await api.numbers.delete(bought.line_id)
        with pytest.raises(NotFound):
            await api.numbers.delete(bought.line_id)


async def test_a_number_of_ones_own_is_registered_once() -> None:
    async with workspace() as (_, api):
        own = await api.numbers.register("+16505550177")
        for held in ("+16505550177", AGENT_NUMBER):
            with pytest.raises(CallRefused, match="already registered"):
                await api.numbers.register(held)
        with pytest.raises(RequestInvalid):
            await api.numbers.register("415")
        # The number of an agent is the agent's, also when it was registered before.
        made = await api.agents.create({"agent_name": "Reminder", "phone_number": own.phone_number})
        numbers = await every(api.numbers.list())
        assert [one.agent_id for one in numbers if one.phone_number == own.phone_number] == [made.agent_id]
        with pytest.raises(CallRefused, match="change the agent"):
            await api.numbers.delete(numbers[0].line_id)


async def test_buying_needs_credit_and_every_change_a_login() -> None:
    async with workspace(balance=0.0) as (it, api):
        with pytest.raises(NoCredit):
            await api.numbers.purchase("+14155550160")
        endpoint = Endpoint(base_url=it.simulator.url, api_key="any")
        async with VaaniApi(endpoint, SystemClock(), Random(1)) as keyed:
            assert len(await every(keyed.numbers.list())) == 1
            with pytest.raises(KeyRefused):
                await keyed.numbers.register("+16505550177")
            with pytest.raises(KeyRefused):
                await every(keyed.files.list("ag_1"))
