"""dialer export --transcripts --recordings: the files of a campaign, and none of them twice."""

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import AGENT, number, write_list

pytestmark = pytest.mark.acceptance


def test_a_campaigns_transcripts_and_recordings(open_provider: OpenProvider, open_home: OpenHome) -> None:
    home = open_home(open_provider("--outcomes=answered=1"))
    contacts = write_list(home.path / "list.csv", 3)
    words = ("--provider", "vaanivoice", "--agent", AGENT["vaanivoice"], "--window", "always", "--rate", "50")
    home.command("run", str(contacts), *words)
    said = home.path / "said"
    ended = home.command("export", "list", "--transcripts", "--recordings", str(said))
    assert ended.out.startswith("phone,") and number(0) in ended.out
    assert "6 fetched" in ended.err and number(0) not in ended.err
    assert sorted(path.suffix for path in said.iterdir()) == [".txt"] * 3 + [".wav"] * 3
    assert "0 fetched, 6 were there" in home.command("export", "list", "--transcripts", "--recordings", str(said)).err
