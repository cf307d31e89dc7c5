"""The ledger and the operator's room alone: what commands open that must hold at once and need no worker."""

import os
import platform
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import SystemRandom

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.providers.answers.values import storable
from dialer.domain.act import By
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.pipeline.decide_review import DecideReview
from dialer.pipeline.dialing_times import DialingTimes
from dialer.pipeline.follow_calls import FollowCalls


@asynccontextmanager
async def open_ledger(settings: Settings) -> AsyncIterator[SqlLedger]:
    """The ledger alone, for commands that need no worker."""
    ledger = await SqlLedger.open(settings.ledger_url, SystemClock(), shared_time=True)
    try:
        yield ledger
    finally:
        await ledger.aclose()


def has_ledger(settings: Settings) -> bool:
    """Whether there is a ledger to look into; opening one that is not there would make it."""
    kind, _, path = settings.ledger_url.partition(":///")
    return kind != "sqlite" or Path(path).is_file()


def dialing_times(settings: Settings) -> DialingTimes:
    """How long each step of a call may take."""
    standard = DialingTimes()
    return DialingTimes(
        answer_within_s=settings.provider_timeout_s + standard.send_within_s + standard.record_for_s + 10,
        redial_scale=settings.redial_scale,
    )


def operator(why: str = "") -> By:
    """Who runs this process: the operating system's user, and the host."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    return By(f"{user}@{platform.node()}", storable(why))


def open_review(settings: Settings, ledger: SqlLedger, why: str = "") -> DecideReview:
    """The room where an operator decides on calls that should not exist; ``why`` is the operator's reason."""
    follow = FollowCalls(ledger.clock, SystemRandom(), settings.redial_scale)
    return DecideReview(ledger, ledger, follow, operator(why))


def open_control(settings: Settings, ledger: SqlLedger, why: str = "") -> ControlCampaign:
    """The operator's room over a ledger; ``why`` is the operator's reason."""
    return ControlCampaign(ledger, ledger, ledger.clock, dialing_times(settings).send_within_s, by=operator(why))
