"""Whom a campaign without limits of its own may call how often."""

import pytest

from config.settings import load_settings
from dialer.domain.limits import UNLIMITED, PersonLimits
from dialer.list_access import standing_limits


@pytest.mark.parametrize(("scale", "limits"), [(1.0, PersonLimits()), (0.0005, UNLIMITED)])
def test_a_rehearsal_with_scaled_delays_does_not_wait_for_tomorrow(scale: float, limits: PersonLimits) -> None:
    assert standing_limits(load_settings().model_copy(update={"redial_scale": scale})) == limits
