"""A test conversation that its user ends."""

import re
import signal

import httpx

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import AGENT, KEY, until


def test_ctrl_c_ends_the_conversation_at_the_provider(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider()
    session = open_home(provider).start("session", AGENT["vaanivoice"], "--connect", "--provider", "vaanivoice")
    until(lambda: "agent_ready" in session.out.read_text(), "the agent's joining")
    token = re.findall(r"/session/(\S+)", session.err.read_text())[0]
    stands = f"{provider.url}/api/webrtc/session/status/{token}"
    assert httpx.get(stands, headers={"x-api-key": KEY}, trust_env=False).status_code == 200
    session.signal(signal.SIGINT)
    ended = session.ended()
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert httpx.get(stands, headers={"x-api-key": KEY}, trust_env=False).status_code == 410
