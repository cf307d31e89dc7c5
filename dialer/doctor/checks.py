"""Is everything there that dialing needs, and how is what is not to be mended."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from config import Settings
from dialer.adapters.ledger.hazards import hazards
from dialer.adapters.local.private_home import make_private
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.providers.registry import installed
from dialer.adapters.queue.arq_queue import pacing_redis
from dialer.bootstrap import open_redis
from dialer.control_room import open_ledger
from dialer.doctor.probing import probe
from dialer.domain.campaign import SIMULATOR, CampaignSpec, CampaignStatus
from dialer.domain.phone_number import mask
from dialer.domain.time_zones import tzdata_version
from dialer.errors import (
    DialerError,
    Forbidden,
    KeyRefused,
    LoginExpired,
    NoCredit,
    NotFound,
    NotSent,
    ProviderError,
    Throttled,
    UsageError,
)
from dialer.provider_access import has_key, open_provider
from dialer.reaching import ANSWERING, NO_KEY, Reached, reach

LARGEST_SKEW_S = 5.0
OTHER_AGENT = "`dialer agents` lists those there are; put one into the campaign file."
E164 = re.compile(r"\+[1-9]\d{6,14}")
OVER = (CampaignStatus.FINISHED, CampaignStatus.CANCELLED)
NTP = "Set this machine's clock by NTP: calling hours and readings of the log go by it."


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: well (True), not well (False), or unknown (None), and what to do."""

    check: str
    ok: bool | None
    message: str
    remedy: str = ""


async def every_check(settings: Settings, *, probing: bool) -> list[Finding]:
    """Check everything; ``probing`` also asks the provider what its documents leave open."""
    findings = [Finding("settings", True, f"every option is known and usable; {_env_file()}"), _home(settings)]
    findings.append(await _redis(settings))
    findings.append(Finding("clocks", True, f"the packaged zones of tzdata {tzdata_version()}, not the system's"))
    ledger, specs = await _ledger(settings)
    findings.append(ledger)
    keyed = [name for name in sorted(installed(), reverse=True) if name != SIMULATOR and has_key(settings, name)]
    if not keyed:
        findings.append(Finding("key", None, "no provider's key is set: only the simulator can be dialed", NO_KEY))
    for name in keyed:
        if name not in ANSWERING:
            findings.append(await _other_package(settings, name))
            continue
        async with reach(settings, name) as reached:
            of_this = [spec for spec in specs if spec.provider == name]
            findings += [finding async for finding in _provider(reached, of_this, probing)]
    return findings


def _env_file() -> str:
    file = Path(".env").absolute()
    return f"{file} was read" if file.is_file() else f"there is no {file}"


def _home(settings: Settings) -> Finding:
    try:
        make_private(settings.home)
        with tempfile.TemporaryFile(dir=settings.home):
            return Finding("home", True, f"{settings.home.absolute()} can be written, and is closed to others")
    except UsageError as error:
        return Finding("home", False, str(error))
    except OSError as error:
        remedy = "Set DIALER_HOME to a directory that this user may write."
        return Finding("home", False, f"{settings.home}: {error.strerror}", remedy)


async def _redis(settings: Settings) -> Finding:
    what = "the configured one" if settings.redis_url else "the embedded one"
    remedy = "Set DIALER_REDIS_URL to a Redis that runs, or leave it empty for the embedded one."
    try:
        with open_redis(settings) as url:
            redis = pacing_redis(url)
            try:
                seconds, microseconds = await redis.time()
                evicts = await _evicts(redis)
            finally:
                await redis.aclose()
    except (TimeoutError, DialerError, OSError) as error:
        return Finding("redis", False, f"{what} cannot be used: {error}", remedy)
    except Exception as error:  # noqa: BLE001 - whatever redis-py says, the remedy is the same
        return Finding("redis", False, f"{what} cannot be used ({type(error).__name__})", remedy)
    skew = seconds + microseconds / 1e6 - SystemClock().now()
    if abs(skew) > LARGEST_SKEW_S:
        return Finding("redis", False, f"its clock is {skew:+.0f} s from ours", NTP)
    if evicts:
        message = f"{what} throws keys away when it is full ({evicts}): lines and pace would be forgotten"
        return Finding("redis", False, message, "Set maxmemory-policy noeviction.")
    return Finding("redis", True, f"{what} answers, its clock is ours")


async def _evicts(redis: "Redis") -> str:
    """The policy of a server that drops keys; "" for one that does not, or does not let us ask."""
    try:
        memory = await redis.info("memory")
    except RedisError:
        return ""
    policy = str(memory.get("maxmemory_policy", ""))
    return policy if int(memory.get("maxmemory", 0)) and policy not in ("", "noeviction") else ""


async def _ledger(settings: Settings) -> tuple[Finding, list[CampaignSpec]]:
    what = settings.ledger_url.split("://")[0]
    try:
        async with open_ledger(settings) as ledger:
            campaigns = await ledger.campaigns()
    except DialerError as error:
        remedy = "See DIALER_DATABASE_URL, or DIALER_HOME for SQLite; docs/operating.md explains both."
        return Finding("ledger", False, f"{what}: {error}", remedy), []
    wrong = await asyncio.to_thread(hazards, settings.ledger_url)
    specs = [campaign.spec for campaign in campaigns if campaign.status not in OVER]
    if wrong:
        return Finding("ledger", False, f"{what}: {wrong[0][0]}", wrong[0][1]), specs
    return Finding("ledger", True, f"{what}, {len(campaigns)} campaigns, {len(specs)} of them not over"), specs


async def _provider(reached: Reached, specs: Sequence[CampaignSpec], probing: bool) -> AsyncIterator[Finding]:
    name = reached.name
    path = "/api/agents?page=1&page_size=1" if reached.voice else "/calls/logs?page=1&page_size=1"
    try:
        answer = await reached.either.http.get(path)
    except ProviderError as error:
        yield Finding(f"{name} key", False, str(error), _remedy(name, error))
        return
    yield Finding(f"{name} key", True, "the provider lets us in")
    yield _clock(name, answer.headers.get("date"))
    for agent in sorted({spec.agent for spec in specs}):
        yield await _agent(reached, agent)
    for finding in _caller_ids(name, specs):
        yield finding
    if probing:
        async for probed in probe(reached):
            yield Finding(f"{name} probe", *probed)


async def _other_package(settings: Settings, name: str) -> Finding:
    """A provider of another package: all that it is known to answer is its log."""
    try:
        provider = open_provider(settings, name, SystemClock())
    except UsageError as error:
        return Finding(f"{name} package", False, str(error))
    try:
        async for _ in provider.read_logs(SystemClock().now()):
            break
    except ProviderError as error:
        return Finding(f"{name} key", False, str(error), _remedy(name, error))
    finally:
        await provider.aclose()
    return Finding(f"{name} key", True, "the provider lets us in, and its log can be read")


def _clock(name: str, date: str | None) -> Finding:
    try:
        skew = parsedate_to_datetime(date or "").timestamp() + 0.5 - SystemClock().now()
    except ValueError:
        return Finding(f"{name} clock", None, "the provider does not give its time")
    if abs(skew) > LARGEST_SKEW_S:
        return Finding(f"{name} clock", False, f"the provider's clock is {skew:+.0f} s from ours", NTP)
    return Finding(f"{name} clock", True, f"within {LARGEST_SKEW_S:g} s of the provider's")


async def _agent(reached: Reached, agent: str) -> Finding:
    check = f"{reached.name} agent"
    shown = mask(agent) if agent.startswith("+") else agent
    try:
        if reached.voice is not None:
            await reached.voice.agents.get(agent)
        elif reached.vaani is not None and agent not in [one.phone_number async for one in reached.vaani.agents.list()]:
            return Finding(check, False, f"{shown} is no agent's number", OTHER_AGENT)
    except NotFound:
        return Finding(check, False, f"{shown} is not known", OTHER_AGENT)
    except ProviderError as error:
        return Finding(check, False, f"{shown}: {error}", _remedy(reached.name, error))
    return Finding(check, True, f"{shown} is known")


def _caller_ids(name: str, specs: Sequence[CampaignSpec]) -> Iterator[Finding]:
    check = f"{name} caller ids"
    for caller_id in sorted({one for spec in specs for one in spec.caller_ids}):
        if E164.fullmatch(caller_id):
            reason = "the provider lists no numbers, so only a call shows whether it is the account's"
            yield Finding(check, None, f"{mask(caller_id)} is well written; {reason}")
        else:
            remedy = 'Write it with "+" and the country code, digits only.'
            yield Finding(check, False, f"{mask(caller_id)} is no number to show", remedy)


def _remedy(name: str, error: ProviderError) -> str:
    prefix = f"DIALER_{name.upper()}"
    match error:
        case LoginExpired():
            return f"Log in again and set {prefix}_ACCESS_TOKEN and {prefix}_REFRESH_TOKEN, or use a key."
        case Forbidden():
            return "Give the key the rights it lacks, at the provider's settings for API keys."
        case KeyRefused():
            return f"Make a new key at the provider and set {prefix}_API_KEY."
        case NoCredit():
            return "Add credit at the provider."
        case NotSent():
            return f"See {prefix}_BASE_URL and this machine's way to the Internet."
        case Throttled():
            return f"Wait; then lower {prefix}_CALLS_PER_SECOND."
        case NotFound():
            return f"See {prefix}_BASE_URL: at this address there is no such API."
        case _:
            return "Try again; if it stays so, ask the provider, with the text above."
