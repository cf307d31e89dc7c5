"""Draws docs/console.png: the screen of a campaign, halfway through a rehearsal.

python .ci/console_picture.py DIALER
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "console.png"
CHROMIUM = "/usr/bin/chromium"
TOKEN = "a-token-of-this-picture"  # noqa: S105 - of a server that ends with the picture
SETTINGS = {
    "DIALER_WEB_TOKEN": TOKEN,
    "DIALER_REDIAL_SCALE": "0.0005",
    "DIALER_RECONCILE_INTERVAL_S": "1",
    "DIALER_MAX_CALL_S": "60",
    "DIALER_UNKNOWN_HORIZON_S": "90",
}
CAMPAIGN = {
    "provider": "simulator",
    "agent": "rehearsal",
    "window": {"days": "always", "rules": "off", "rules_reason": "a rehearsal calls nobody"},
    "pace": {"calls_per_second": 5, "concurrent_calls": 20},
}
WIDE, HIGH = 1100, 1250
HALF = 140


def main(dialer: str) -> None:
    """Serve, dial, watch until half is done, and take the picture."""
    with tempfile.TemporaryDirectory() as place:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
        environment |= SETTINGS | {"DIALER_HOME": place}
        serving = subprocess.Popen(  # noqa: S603 - the command of the caller
            [dialer, "serve", "--worker", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
        )
        try:
            assert serving.stderr is not None
            said = (re.search(r"http://[\d.:]+", line) for line in serving.stderr if "listens on" in line)
            address = next(match[0] for match in said if match)
            _begin(address)
            _take(address)
        finally:
            serving.terminate()
            serving.communicate(timeout=60)


def _begin(address: str) -> None:
    with httpx.Client(base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as api:
        api.put("/campaigns/october", json=CAMPAIGN).raise_for_status()
        people = (ROOT / "examples" / "contacts.csv").read_bytes()
        where = {"campaign": "october", "name": "contacts.csv"}
        sent = api.post("/imports", params=where, content=people, headers={"Content-Type": "text/csv"})
        api.post(f"/imports/{sent.raise_for_status().json()['import_id']}/commit").raise_for_status()


def _take(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDE, "height": HIGH}, locale="en-GB", timezone_id="Asia/Kolkata")
        page.goto(f"{address}/login")
        page.fill("input[name=token]", TOKEN)
        page.click("button")
        page.click("text=october")
        # The page changes by itself; the curve needs somebody who looks.
        while int((page.text_content("#bar .legend a") or "0").split()[0]) < HALF:
            page.wait_for_timeout(500)
        page.screenshot(path=str(PICTURE))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
