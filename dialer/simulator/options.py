"""Every switch of the simulator, with the reason for each default.

Where the vendors are silent the simulator has to choose; each choice is a switch here (wire contract, sections
2.12 and 3.14). What is said of a field is what ``--help`` prints.
"""

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationError
from pydantic.dataclasses import dataclass

from dialer.simulator import faults as fault_names
from dialer.simulator.audio import MOST_BYTES

DEFAULT_MIX = {"answered": 0.62, "no_answer": 0.18, "busy": 0.08, "voicemail": 0.07, "rejected": 0.03, "failed": 0.02}
"""The simulator's own words for how a call ends, which the dialects translate, and how often each comes."""
WEBHOOK_FAULTS = ("lost", "repeated", "early", "forged")
"""What can go wrong with a webhook; each is drawn by itself."""


def _bounds(given: Any) -> Any:
    """``LO,HI`` as the command line has it, or a pair."""
    low, _, high = given.partition(",") if isinstance(given, str) else ("", "", "")
    return (low, high or low) if isinstance(given, str) else given


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= bounds[0] <= bounds[1]:
        raise ValueError("a range is lowest,highest and not negative")
    return bounds


Range = Annotated[tuple[float, float], BeforeValidator(_bounds), AfterValidator(_ordered)]


def option(default: Any, help_: str, section: str = "") -> Any:
    """A switch; ``section`` of the wire contract leaves open what it decides."""
    metadata = {"help": help_, "section": section}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How the simulated provider behaves; times are seconds, ranges are ``(lowest, highest)``, drawn evenly."""

    port: int = option(0, "port on 127.0.0.1; 0 takes a free one")
    seed: int = option(0, "same seed, same numbers: same outcomes and faults, in whatever order they arrive")

    outcomes: Mapping[str, float] = option(DEFAULT_MIX, "weight of an outcome, e.g. answered=0.6")
    outcome_by_number: Mapping[str, str] = option(
        {}, "force the outcome of numbers that end in these digits, e.g. 00=busy; the longest ending wins"
    )
    start_delay_s: Range = option((0.2, 1.0), "from accepted to dialing")
    dial_s: Range = option((0.1, 0.5), "from dialing to ringing, or to a busy tone")
    ring_s: Range = option((1.0, 4.0), "from ringing to answered or rejected")
    no_answer_ring_s: Range = option((4.0, 6.0), "how long an unanswered call rings (vendor: about 45)")
    talk_s: Range = option((2.0, 8.0), "from answered to the end")
    voicemail_s: Range = option((1.0, 3.0), "from a machine's pick-up to the end")
    log_delay_s: float = option(2.0, "from the end of a call to its row in the logs")

    faults: Mapping[str, float] = option({}, "chance of a fault, e.g. dropped=0.02; the list is below")
    stall_s: float = option(120.0, "how long a stalled request is held, in real seconds")
    answer_s: Range = option((0.0, 0.0), "how long an answer to a place-call request takes, in real seconds")
    late_s: Range = option((10.0, 120.0), "how late a late request arrives, in real seconds")
    retry_after_s: int = option(1, "the number in a Retry-After header")
    rate_cap: int | None = option(None, "429 above this many place-call requests in any rolling second")
    line_cap: int | None = option(None, "429 above this many live calls")
    cap_retry_after: bool = option(False, "send Retry-After with the 429 of a cap")

    key: str | None = option(None, "the only key (or cookie) that is let in; default: any that is not empty")
    agents: tuple[str, ...] = option((), "known agent ids, names or numbers; others get 404; default: any")
    dnd: tuple[str, ...] = option((), "numbers refused with 403 on vaanivoice unless dnd_check_skipped")
    balance: float | None = option(None, "credits in the wallet; 402 once they are spent; default: endless")
    cost_per_call: float = option(0.0, "credits for every placed call, charged when it is placed")
    cost_per_minute: float = option(6.0, "credits for a minute of talk, charged when the call is placed")

    vaani_answer: Literal["detail", "call_log_id", "id", "created"] = option(
        "detail", "body of an accepted call: the sentence only, with call_log_id, with id, or 201", "2.2"
    )
    vaani_list: Literal["call_logs", "items", "logs", "data", "array"] = option(
        "call_logs", "envelope of the log list", "2.3"
    )
    vaani_order: Literal["newest", "oldest"] = option("newest", "order of the log list", "2.3")
    vaani_call_type: Literal["phone", "sip"] = option("phone", "call_type in a log", "2.3")
    vaani_unanswered: bool = option(False, "write a log with duration 0 for a call nobody answered", "2.3")
    vaani_variables: bool = option(False, "echo dynamic_variables in the log", "2.3")
    vaani_voicemail: bool = option(True, "tell a machine's pick-up in conversation_analysis and disposition", "2.3")
    vaani_web_body: Literal["accessToken", "token"] = option("accessToken", "body of generate-token", "2.6")
    vaani_export_paged: bool = option(False, "page and page_size hold for the CSV export too", "2.5")
    vaani_recording_url: bool = option(False, "a log carries recording_url, a link that is good for an hour", "2.3")
    vaani_agents: Literal["array", "agents", "items", "data"] = option("array", "envelope of the agent list", "2.9")
    vaani_keys_write: bool = option(
        False, "let a key do what the documents let a JWT only: change agents, files, numbers, batches", "2.9"
    )
    vaani_members: tuple[str, ...] = option((), "keys of the role Member, which may read only", "2.1")
    vaani_password: str | None = option(None, "the only password that logs in; default: any", "2.1")
    vaani_token_s: float = option(3600.0, "until an access_token from a login expires", "2.1")
    vaani_refresh_s: float = option(604_800.0, "until a refresh_token expires", "2.1")
    vaani_refresh: Literal["works", "fails"] = option("works", "whether /auth/refresh works", "2.1")
    vaani_422: Literal["list", "detail"] = option("list", "body of a 422", "2.1")

    vaanivoice_metadata: bool = option(True, "echo the caller's own keys in call_metadata", "3.5")
    vaanivoice_row: Literal["end", "dial", "trigger"] = option("end", "when a history row appears", "3.14")
    vaanivoice_order: Literal["newest", "oldest"] = option("newest", "order of the history", "3.5")
    vaanivoice_output: Literal["object", "string"] = option("object", "output of an accepted call", "3.4")
    vaanivoice_missing_transcript: Literal[404, 200] = option(
        404, "HTTP status of a transcript that is not there", "3.6"
    )
    vaanivoice_missing_text: Literal["stored", "error", "processing"] = option(
        "stored", "what a transcript that is not there says", "3.6"
    )
    vaanivoice_duration: Literal["odd", "right"] = option(
        "odd", "duration_ms as the vendor's sample has it, or right", "3.5"
    )
    vaanivoice_voicemail: Literal["both", "status", "entity", "none"] = option(
        "both", "where a machine's pick-up shows", "3.14"
    )
    vaanivoice_details_pending: Literal[200, 202] = option(
        200, "HTTP status of details that are not processed yet", "3.7"
    )
    vaanivoice_agents: Literal["data", "items", "agents", "array"] = option(
        "data", "envelope of the agent list", "3.10"
    )
    vaanivoice_agent_update: Literal["both", "message"] = option(
        "both", "answer to a changed section: success and message, or also the agent", "3.10"
    )
    vaanivoice_unknown_agent: Literal[404, 422] = option(404, "HTTP status for an unknown agent", "3.4")
    vaanivoice_connection_url: Literal["wss", "https"] = option("wss", "scheme of connection_url", "3.4")
    recording_type: Literal["audio/wav", "audio/ogg", "audio/mpeg"] = option(
        "audio/wav", "content type a recording is sent with; it is WAV", "3.8"
    )
    recording_bytes: int | None = option(None, "size of a recording, at least 100; default: as long as the talk", "3.8")
    recording_ranges: bool = option(True, "honour Range on a recording (not documented)", "3.8")
    recording_cuts: int = option(0, "so many downloads of each recording break off half-way", "3.8")
    session_created: Literal[200, 201] = option(200, "HTTP status of a new session", "3.11")
    session_grace_s: float = option(30.0, "grace period of a session that names none", "3.11")
    session_agent: Literal["ready", "timeout"] = option("ready", "whether the agent joins a session", "3.11")
    session_agent_wait_s: float = option(20.0, "until an agent that does not join is given up", "3.11")
    session_talk_s: float | None = option(None, "the agent ends a session after so long; default: it does not", "3.11")
    session_ended: Literal[410, 200] = option(410, "HTTP status for the status of a session that is over", "3.11")
    session_replay: bool = option(True, "a socket opened again is first told all events so far", "3.11")
    socket_drops: int = option(0, "so many sockets of each session break after the next event", "3.11")
    captions_key: bool = option(False, "live captions need the key (not documented)", "3.9")
    vaanivoice_campaigns: Literal["campaigns", "data", "items"] = option(
        "campaigns", "key of the campaign list", "3.12"
    )
    campaign_hours: Literal["vendor", "any"] = option(
        "vendor", "hours a campaign may have: 02:30 to 14:29 UTC, or any", "3.12"
    )
    campaign_concurrency: int = option(50, "the most lines a campaign may ask for", "3.12")
    campaign_refusal: Literal[422, 400] = option(422, "HTTP status of a campaign's error codes", "3.12")
    webhook_url: str | None = option(None, "where the webhooks of calls go; default: nowhere", "3.13")
    webhook_form: Literal["flat", "nested"] = option(
        "flat", "shape of a call's webhook: as documented, or as captured", "3.13"
    )
    webhook_details: bool = option(False, "nested webhooks with all call details", "3.13")
    webhook_secret: str | None = option(None, "what webhooks are signed with", "3.13")
    webhook_signature: Literal[
        "none", "x-webhook-signature", "x-webhook-signature-bare", "vaani-signature", "x-vaani-signature"
    ] = option(
        "none", "signature of a call's webhook: none, or hex HMAC-SHA256 in that header, bare without sha256=", "3.13"
    )
    webhook_attempts: int = option(1, "how often a call's webhook is tried, at 0, 5, 25, 125 and 625 s", "3.13")
    webhook_duration: Literal["ms", "s"] = option("ms", "unit of call_duration in call_postprocessing", "3.13")
    webhook_transfer: Literal["none", "successful", "failed"] = option(
        "none", "an answered call is handed to a human half-way", "3.13"
    )
    webhook_faults: Mapping[str, float] = option(
        {}, "chance that a webhook is lost, repeated, early (before the answer) or joined by a forged one", "3.13"
    )
    vaanivoice_errors: Literal["detail", "gateway"] = option("detail", "shape of an error body", "3.2")

    def __post_init__(self) -> None:
        """Refuse what cannot be obeyed, naming the option."""
        fault_names.check(self.faults)
        for name, chance in self.webhook_faults.items():
            if name not in WEBHOOK_FAULTS or not 0 <= chance <= 1:
                raise ValueError(f"webhook_faults: {', '.join(WEBHOOK_FAULTS)}, each 0 to 1, not {name}={chance}")
        for name in (*self.outcomes, *self.outcome_by_number.values()):
            if name not in DEFAULT_MIX:
                raise ValueError(f"unknown outcome {name!r}: one of {', '.join(DEFAULT_MIX)}")
        if sum(self.outcomes.values()) <= 0:
            raise ValueError("outcomes: at least one weight must be above 0")
        if self.recording_bytes is not None and not 100 <= self.recording_bytes <= MOST_BYTES:
            raise ValueError(f"recording_bytes: 100 to {MOST_BYTES}")


SECTIONS = {each.name: each.metadata["section"] for each in fields(Options) if each.metadata["section"]}
"""The section of the wire contract that leaves open what a switch decides."""


def what_is_wrong(error: ValueError) -> str:
    """Every option that cannot be obeyed, and why."""
    if not isinstance(error, ValidationError):
        return str(error)
    found = [(*map(str, each["loc"][:1]), each["msg"].removeprefix("Value error, ")) for each in error.errors()]
    return "; ".join(": ".join(parts) for parts in found)
