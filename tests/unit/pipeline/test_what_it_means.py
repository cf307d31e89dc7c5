"""What rules mean for a list, in sentences."""

from dataclasses import replace
from typing import Any

import pytest

from dialer.domain.calling_window import ALWAYS, CallingWindow
from dialer.domain.campaign import CampaignSpec, Pace, Reminder, Schedule
from dialer.domain.limits import UNLIMITED, PersonLimits
from dialer.domain.redial import RedialPolicy
from dialer.pipeline.what_it_means import what_it_means

SEEN = {"counts": {"queued": 7_200, "deferred": 3}, "now": 100}
PLAIN = CampaignSpec("may", "agent")


@pytest.mark.parametrize(
    ("table", "changed", "said"),
    [
        ("window", {}, "Calls go out mon, tue, wed, thu, fri, sat 09:00-20:00, each person's own time; the calling "
         "rules of each place hold too. 100 people may be called now, 7,103 wait."),
        ("window", {"window": ALWAYS}, "Calls go out at any hour; the calling rules of each place are off. "
         "100 people may be called now, 7,103 wait."),
        ("window", {"window": CallingWindow(zone="Asia/Kolkata")}, "Asia/Kolkata"),
        ("pace", {}, "1 calls a second, 10 calls at the same time: to call all 7,200 once takes 2 h at least."),
        ("pace", {"pace": Pace(0, 0)}, "As fast as the account allows, with any number of calls at the same time."),
        ("redial", {}, "Each person is called up to 3 times: 21,600 calls at most."),
        ("redial", {"redial": RedialPolicy(1)}, "Each person is called once: 7,200 calls at most."),
        ("limits", {}, "2 in 24 h, 3 in 7 days, 6 in 30 days, 10 ever at most."),
        ("limits", {"limits": PersonLimits(0, 7, 0, 0)}, "campaigns: 7 in 7 days at most."),
        ("limits", {"limits": UNLIMITED}, "No limit on how often a person is called, except that of the "
         "calling rules."),
        ("schedule", {}, "It begins when it is started; it goes on until everybody is done."),
        ("schedule", {"schedule": Schedule(0.0, 86_400.0)}, "It begins on 1970-01-01 at 00:00 UTC; whoever still waits "
         "on 1970-01-02 at 00:00 UTC is not called any more."),
        ("reminder", {}, "Nobody is reminded of an appointment."),
        ("reminder", {"reminder": Reminder("at", (86_400.0, 7_200.0))}, "Each person is called 24 h, 2 h before their "
         "appointment; for 3 it is too late."),
        ("budget", {}, "Nothing stops it for its cost."),
        ("budget", {"max_cost": 12.5}, "Calls stop at 12.5."),
    ],
)  # fmt: skip
def test_a_table_in_a_sentence(table: str, changed: dict[str, Any], said: str) -> None:
    assert said in what_it_means(replace(PLAIN, **changed), SEEN)[table]
