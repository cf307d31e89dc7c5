"""Every switch of the simulator, with the reason for each default.

Where the vendors are silent the simulator has to choose; each choice is a switch here (wire contract, sections
2.12 and 3.14). A field's ``help`` is what ``--help`` prints.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from dialer.simulator import faults as fault_names
from dialer.simulator.audio import MOST_BYTES

OUTCOMES = ("answered", "no_answer", "busy", "voicemail", "rejected", "failed")
"""The simulator's own words for how a call ends; the dialects translate them."""

DEFAULT_MIX: dict[str, float] = {
    "answered": 0.62,
    "no_answer": 0.18,
    "busy": 0.08,
    "voicemail": 0.07,
    "rejected": 0.03,
    "failed": 0.02,
}

WEBHOOK_FAULTS = ("lost", "repeated", "early", "forged")
"""What can go wrong with a webhook; each is drawn by itself."""

STATUSES = {
    "vaanivoice_missing_transcript": (404, 200),
    "vaanivoice_details_pending": (200, 202),
    "vaanivoice_unknown_agent": (404, 422),
    "session_created": (200, 201),
    "session_ended": (410, 200),
    "campaign_refusal": (422, 400),
}
"""HTTP statuses that the documents leave open."""

SECTIONS = {
    "vaani_answer": "2.2",
    **dict.fromkeys(("vaani_list", "vaani_order", "vaani_call_type", "vaani_unanswered"), "2.3"),
    **dict.fromkeys(("vaani_variables", "vaani_voicemail", "vaani_recording_url"), "2.3"),
    "vaani_export_paged": "2.5",
    "vaani_web_body": "2.6",
    **dict.fromkeys(("vaani_agents", "vaani_keys_write"), "2.9"),
    **dict.fromkeys(("vaani_members", "vaani_password", "vaani_token_s", "vaani_refresh_s"), "2.1"),
    **dict.fromkeys(("vaani_refresh", "vaani_422"), "2.1"),
    "vaanivoice_errors": "3.2",
    **dict.fromkeys(("vaanivoice_output", "vaanivoice_unknown_agent", "vaanivoice_connection_url"), "3.4"),
    **dict.fromkeys(("vaanivoice_metadata", "vaanivoice_order", "vaanivoice_duration"), "3.5"),
    **dict.fromkeys(("vaanivoice_row", "vaanivoice_voicemail"), "3.14"),
    **dict.fromkeys(("vaanivoice_missing_transcript", "vaanivoice_missing_text"), "3.6"),
    "vaanivoice_details_pending": "3.7",
    **dict.fromkeys(("recording_type", "recording_bytes", "recording_ranges", "recording_cuts"), "3.8"),
    "captions_key": "3.9",
    **dict.fromkeys(("vaanivoice_agents", "vaanivoice_agent_update"), "3.10"),
    **dict.fromkeys(("session_created", "session_grace_s", "session_agent", "session_agent_wait_s"), "3.11"),
    **dict.fromkeys(("session_talk_s", "session_ended", "session_replay", "socket_drops"), "3.11"),
    **dict.fromkeys(("vaanivoice_campaigns", "campaign_hours", "campaign_concurrency", "campaign_refusal"), "3.12"),
    **dict.fromkeys(("webhook_url", "webhook_form", "webhook_details", "webhook_secret"), "3.13"),
    **dict.fromkeys(("webhook_signature", "webhook_attempts", "webhook_duration"), "3.13"),
    **dict.fromkeys(("webhook_transfer", "webhook_faults"), "3.13"),
}
"""The section of the wire contract that leaves open what a switch decides."""

Range = tuple[float, float]


def _option(default: Any, help_: str, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"help": help_, "choices": choices})


def _mapping(default: Mapping[str, Any], help_: str) -> Any:
    return field(default_factory=lambda: dict(default), metadata={"help": help_, "choices": ()})


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How the simulated provider behaves; times are seconds, ranges are ``(lowest, highest)``, drawn evenly."""

    port: int = _option(0, "port on 127.0.0.1; 0 takes a free one")
    seed: int = _option(0, "same seed, same numbers: same outcomes and faults, in whatever order they arrive")

    outcomes: Mapping[str, float] = _mapping(DEFAULT_MIX, "weight of an outcome, e.g. answered=0.6")
    outcome_by_number: Mapping[str, str] = _mapping(
        {}, "force the outcome of numbers that end in these digits, e.g. 00=busy; the longest ending wins"
    )
    start_delay_s: tuple[float, float] = _option((0.2, 1.0), "from accepted to dialing")
    dial_s: tuple[float, float] = _option((0.1, 0.5), "from dialing to ringing, or to a busy tone")
    ring_s: tuple[float, float] = _option((1.0, 4.0), "from ringing to answered or rejected")
    no_answer_ring_s: tuple[float, float] = _option((4.0, 6.0), "how long an unanswered call rings (vendor: about 45)")
    talk_s: tuple[float, float] = _option((2.0, 8.0), "from answered to the end")
    voicemail_s: tuple[float, float] = _option((1.0, 3.0), "from a machine's pick-up to the end")
    log_delay_s: float = _option(2.0, "from the end of a call to its row in the logs")

    faults: Mapping[str, float] = _mapping({}, "chance of a fault, e.g. dropped=0.02; the list is below")
    stall_s: float = _option(120.0, "how long a stalled request is held, in real seconds")
    answer_s: tuple[float, float] = _option(
        (0.0, 0.0), "how long an answer to a place-call request takes, in real seconds"
    )
    late_s: tuple[float, float] = _option((10.0, 120.0), "how late a late request arrives, in real seconds")
    retry_after_s: int = _option(1, "the number in a Retry-After header")
    rate_cap: int | None = _option(None, "429 above this many place-call requests in any rolling second")
    line_cap: int | None = _option(None, "429 above this many live calls")
    cap_retry_after: bool = _option(False, "send Retry-After with the 429 of a cap")

    key: str | None = _option(None, "the only key (or cookie) that is let in; default: any that is not empty")
    agents: tuple[str, ...] = _option((), "known agent ids, names or numbers; others get 404; default: any")
    dnd: tuple[str, ...] = _option((), "numbers refused with 403 on vaanivoice unless dnd_check_skipped")
    balance: float | None = _option(None, "credits in the wallet; 402 once they are spent; default: endless")
    cost_per_call: float = _option(0.0, "credits for every placed call, charged when it is placed")
    cost_per_minute: float = _option(6.0, "credits for a minute of talk, charged when the call is placed")

    vaani_answer: str = _option(
        "detail",
        "body of an accepted call: the sentence only, with call_log_id, with id, or 201",
        ("detail", "call_log_id", "id", "created"),
    )
    vaani_list: str = _option("call_logs", "envelope of the log list", ("call_logs", "items", "logs", "data", "array"))
    vaani_order: str = _option("newest", "order of the log list", ("newest", "oldest"))
    vaani_call_type: str = _option("phone", "call_type in a log", ("phone", "sip"))
    vaani_unanswered: bool = _option(False, "write a log with duration 0 for a call nobody answered")
    vaani_variables: bool = _option(False, "echo dynamic_variables in the log")
    vaani_voicemail: bool = _option(True, "tell a machine's pick-up in conversation_analysis and disposition")
    vaani_web_body: str = _option("accessToken", "body of generate-token", ("accessToken", "token"))
    vaani_export_paged: bool = _option(False, "page and page_size hold for the CSV export too")
    vaani_recording_url: bool = _option(False, "a log carries recording_url, a link that is good for an hour")
    vaani_agents: str = _option("array", "envelope of the agent list", ("array", "agents", "items", "data"))
    vaani_keys_write: bool = _option(
        False, "let a key do what the documents let a JWT only: change agents, files, numbers, batches"
    )
    vaani_members: tuple[str, ...] = _option((), "keys of the role Member, which may read only")
    vaani_password: str | None = _option(None, "the only password that logs in; default: any")
    vaani_token_s: float = _option(3600.0, "until an access_token from a login expires")
    vaani_refresh_s: float = _option(604_800.0, "until a refresh_token expires")
    vaani_refresh: str = _option("works", "whether /auth/refresh works", ("works", "fails"))
    vaani_422: str = _option("list", "body of a 422", ("list", "detail"))

    vaanivoice_metadata: bool = _option(True, "echo the caller's own keys in call_metadata")
    vaanivoice_row: str = _option("end", "when a history row appears", ("end", "dial", "trigger"))
    vaanivoice_order: str = _option("newest", "order of the history", ("newest", "oldest"))
    vaanivoice_output: str = _option("object", "output of an accepted call", ("object", "string"))
    vaanivoice_missing_transcript: int = _option(404, "HTTP status of a transcript that is not there: 404 or 200")
    vaanivoice_missing_text: str = _option(
        "stored", "what a transcript that is not there says", ("stored", "error", "processing")
    )
    vaanivoice_duration: str = _option("odd", "duration_ms as the vendor's sample has it, or right", ("odd", "right"))
    vaanivoice_voicemail: str = _option("both", "where a machine's pick-up shows", ("both", "status", "entity", "none"))
    vaanivoice_details_pending: int = _option(200, "HTTP status of details that are not processed yet: 200 or 202")
    vaanivoice_agents: str = _option("data", "envelope of the agent list", ("data", "items", "agents", "array"))
    vaanivoice_agent_update: str = _option(
        "both", "answer to a changed section: success and message, or also the agent", ("both", "message")
    )
    vaanivoice_unknown_agent: int = _option(404, "HTTP status for an unknown agent: 404 or 422")
    vaanivoice_connection_url: str = _option("wss", "scheme of connection_url", ("wss", "https"))
    recording_type: str = _option(
        "audio/wav", "content type a recording is sent with; it is WAV", ("audio/wav", "audio/ogg", "audio/mpeg")
    )
    recording_bytes: int | None = _option(None, "size of a recording, at least 100; default: as long as the talk")
    recording_ranges: bool = _option(True, "honour Range on a recording (not documented)")
    recording_cuts: int = _option(0, "so many downloads of each recording break off half-way")
    session_created: int = _option(200, "HTTP status of a new session: 200 or 201")
    session_grace_s: float = _option(30.0, "grace period of a session that names none")
    session_agent: str = _option("ready", "whether the agent joins a session", ("ready", "timeout"))
    session_agent_wait_s: float = _option(20.0, "until an agent that does not join is given up")
    session_talk_s: float | None = _option(None, "the agent ends a session after so long; default: it does not")
    session_ended: int = _option(410, "HTTP status for the status of a session that is over: 410 or 200")
    session_replay: bool = _option(True, "a socket opened again is first told all events so far")
    socket_drops: int = _option(0, "so many sockets of each session break after the next event")
    captions_key: bool = _option(False, "live captions need the key (not documented)")
    vaanivoice_campaigns: str = _option("campaigns", "key of the campaign list", ("campaigns", "data", "items"))
    campaign_hours: str = _option("vendor", "hours a campaign may have: 02:30 to 14:29 UTC, or any", ("vendor", "any"))
    campaign_concurrency: int = _option(50, "the most lines a campaign may ask for")
    campaign_refusal: int = _option(422, "HTTP status of a campaign's error codes: 422 or 400")
    webhook_url: str | None = _option(None, "where the webhooks of calls go; default: nowhere")
    webhook_form: str = _option("flat", "shape of a call's webhook: as documented, or as captured", ("flat", "nested"))
    webhook_details: bool = _option(False, "nested webhooks with all call details")
    webhook_secret: str | None = _option(None, "what webhooks are signed with")
    webhook_signature: str = _option(
        "none",
        "signature of a call's webhook: none, or hex HMAC-SHA256 in that header, bare without sha256=",
        ("none", "x-webhook-signature", "x-webhook-signature-bare", "vaani-signature", "x-vaani-signature"),
    )
    webhook_attempts: int = _option(1, "how often a call's webhook is tried, at 0, 5, 25, 125 and 625 s")
    webhook_duration: str = _option("ms", "unit of call_duration in call_postprocessing", ("ms", "s"))
    webhook_transfer: str = _option(
        "none", "an answered call is handed to a human half-way", ("none", "successful", "failed")
    )
    webhook_faults: Mapping[str, float] = _mapping(
        {}, "chance that a webhook is lost, repeated, early (before the answer) or joined by a forged one"
    )
    vaanivoice_errors: str = _option("detail", "shape of an error body", ("detail", "gateway"))

    def __post_init__(self) -> None:
        """Refuse what cannot be obeyed, naming the option."""
        fault_names.check(self.faults)
        for name, chance in self.webhook_faults.items():
            if name not in WEBHOOK_FAULTS or not 0 <= chance <= 1:
                raise ValueError(f"webhook_faults: {', '.join(WEBHOOK_FAULTS)}, each 0 to 1, not {name}={chance}")
        _check_outcomes([*self.outcomes, *self.outcome_by_number.values()])
        if sum(self.outcomes.values()) <= 0:
            raise ValueError("outcomes: at least one weight must be above 0")
        for item in fields(self):
            _check_choice(item.name, getattr(self, item.name), item.metadata["choices"])
        for name, statuses in STATUSES.items():
            if getattr(self, name) not in statuses:
                raise ValueError(f"{name}: {statuses[0]} or {statuses[1]}")
        if self.recording_bytes is not None and not 100 <= self.recording_bytes <= MOST_BYTES:
            raise ValueError(f"recording_bytes: 100 to {MOST_BYTES}")


def _check_outcomes(names: list[str]) -> None:
    for name in names:
        if name not in OUTCOMES:
            raise ValueError(f"unknown outcome {name!r}: one of {', '.join(OUTCOMES)}")


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if choices and value not in choices:
        raise ValueError(f"{name}: {value!r} is not one of {', '.join(choices)}")
    if isinstance(value, tuple) and name.endswith("_s") and not 0 <= value[0] <= value[1]:
        raise ValueError(f"{name}: a range is lowest,highest and not negative")
