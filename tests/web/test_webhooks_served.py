"""A provider that sends webhooks to ``dialer serve``, as processes."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import OpenProvider, open_provider, own_redis
from tests.acceptance.dialer_process import Home, dialing, finals, settings_for, until, write_list
from tests.hook_steps import NEW, OLD
from tests.redis_server import RedisServer
from tests.web.serving import Serving, serve

__all__ = ["open_provider", "own_redis"]

pytestmark = pytest.mark.acceptance

SELDOM = "3600"
"""Seconds between two readings of the log: what is known sooner was read because of a webhook."""
PEOPLE = 5


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[list[Home]]:
    """What a test adds is ended with it."""
    made: list[Home] = []
    yield made
    for home in made:
        home.end()


def hook_path(serving: Serving, token: str) -> str:
    """As the accounts page shows it to an administrator."""
    with serving.browser(token) as browser:
        shown = re.search(r"<code>(/hooks/vaanivoice/[\w-]{24})</code>", browser.get("/accounts").text)
    assert shown is not None
    return shown[1]


@pytest.mark.parametrize(
    ("scheme", "header"),
    [("x-webhook-signature", "X-Webhook-Signature"), ("x-vaani-signature", "X-Vaani-Signature")],
)
def test_a_call_that_is_over_is_known_at_once(
    open_provider: OpenProvider, own_redis: RedisServer, homes: list[Home], tmp_path: Path, scheme: str, header: str
) -> None:
    """In one process with the embedded Redis, and with a worker of its own."""
    provider = open_provider(
        "--log-delay-s=0", f"--webhook-signature={scheme}", f"--webhook-secret={OLD}", "--webhook-form=nested",
        "--webhook-fault=repeated=0.5", "--webhook-fault=forged=0.3",
    )  # fmt: skip
    apart = {"DIALER_REDIS_URL": own_redis.url} if scheme == "x-vaani-signature" else {}
    settings = settings_for(provider, DIALER_RECONCILE_INTERVAL_S=SELDOM, DIALER_WEBHOOK_SECRET=f"{NEW},{OLD}", **apart)
    home = Home(tmp_path, settings)
    homes.append(home)
    token = home.command("token", "add", "boss", "--role", "admin").out.strip()
    serving = serve(home) if apart else serve(home, "--worker")
    if apart:
        home.start("worker")
    path = hook_path(serving, token)
    provider.change(webhook_url=serving.address + path)

    home.command("enqueue", str(write_list(home.path / "list.csv", PEOPLE)), *dialing())
    until(lambda: finals(home.glance()) == PEOPLE, "every call is known to be over")

    books = {call["to"]: call for call in provider.books().calls}
    assert len(books) == PEOPLE
    with serving.browser(token) as browser:
        assert f"signed by {header}" in browser.get("/accounts").text
        story = browser.get("/people/1").text
    assert f"webhook: call started, signed by {header}" in story
    assert "FORGED" not in story
    serving.running.signal(signal.SIGTERM)
    assert serving.running.ended().code == 0
    secrets = [path.rpartition("/")[2], NEW, OLD, *books]
    assert not [secret for secret in secrets if secret in serving.said]
    assert "webhook.refused" in serving.said
