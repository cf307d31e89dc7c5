"""The whole API is what docs/openapi.json says, asked by schemathesis: no fault, no answer that is not described.

Left out of its checks: that whatever fits the schema is taken, for what a phone number is no schema can say; and that a
wrong token is refused, which test_door_routes asks of each route without being shut out as a guesser.
"""

import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.dialer_process import Home, dialing, until

TOKEN = "a-token-of-this-test"
LEFT_OUT = "positive_data_acceptance,ignored_auth"
EXAMPLES = 15


def test_no_request_gets_an_answer_that_is_not_described(tmp_path: Path) -> None:
    home = Home(tmp_path, {"DIALER_WEB_TOKEN": TOKEN})
    try:
        serving = home.start("serve", "--port", "0")
        until(lambda: "listens on" in serving.err.read_text(), "the server listens")
        address = re.findall(r"http://[\d.:]+", serving.err.read_text())[0]
        (tmp_path / "list.csv").write_text("phone\n+14155550100\n+14155550101\n")
        home.command("enqueue", str(tmp_path / "list.csv"), *dialing("vaanivoice"))
        words = [
            sys.executable,
            "-m",
            "schemathesis.cli",
            "run",
            f"{address}/api/v1/openapi.json",
            "--header",
            f"Authorization: Bearer {TOKEN}",
        ]
        words += ["--exclude-path", "/api/v1/events", "--exclude-checks", LEFT_OUT, "--max-examples", str(EXAMPLES)]
        words += ["--seed", "1", "--no-color", "--request-timeout", "60"]
        asked = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert asked.returncode == 0, asked.stdout[-6000:] + asked.stderr
        assert "Stateful" in asked.stdout
        assert " passed" in asked.stdout.split("Test cases:")[1]
        assert serving.alive
        assert "Traceback" not in serving.err.read_text()
    finally:
        home.end()
