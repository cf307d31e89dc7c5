"""The mutants of ``facts/reliability.md`` section 4.5, in its order: each is a mistake that somebody could make.

The text to be replaced must stand in the file exactly once, so a mutant that no longer fits the code says so.
"""
# ruff: noqa: E501 - the texts are those of the code

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """A line, or part of one, made wrong."""

    file: str
    before: str
    after: str


@dataclass(frozen=True)
class Mutant:
    """``suites`` are what is run, of them only ``within`` (pytest's -k); ``control`` must stay green."""

    number: int
    name: str
    edits: tuple[Edit, ...]
    suites: tuple[str, ...]
    within: str = ""
    control: bool = False


LEDGER = "dialer/adapters/ledger"
HTTP = "dialer/adapters/providers/http/requests.py"
PLACING = "dialer/adapters/providers/answers/placing.py"
RECONCILE = "dialer/pipeline/reconcile_calls.py"
DOUBTS = "dialer/pipeline/log_doubts.py"
NO_STALE_VERDICT = Edit(
    "dialer/domain/gate.py", "if facts.state is not AttemptState.QUEUED or facts.dispatch != question.dispatch:",
    "if False:",
)  # fmt: skip
NO_GUARD = Edit(
    f"{LEDGER}/dial.py",
    "WHERE id = :attempt_id AND dispatch = :dispatch AND state IN ({from_states(AttemptState.DIALING, Actor.WORKER)})",
    "WHERE id = :attempt_id",
)
NO_LOCK = Edit(f"{LEDGER}/postgresql_engine.py", "                if serial:\n", "                if False:\n")
SENDER = "tests/integration/test_sender_results.py"
DIALING = "tests/contract/test_ledger_dialing.py"
RECONCILING = "tests/unit/pipeline/test_reconcile_calls.py"
SQL = "tests/integration/test_sql_ledger.py"
FAILING = "tests/integration/test_sql_ledger_failing.py"
ROOMS = "tests/unit/pipeline"

MUTANTS = (
    Mutant(1, "the sweeper plans again what owes an answer", (
        Edit(f"{LEDGER}/feed.py", "SET state = 'unknown', reason", "SET state = 'planned', reason"),
    ), (DIALING,), within="owes_an_answer and sqlite"),
    Mutant(2, "a read time-out counts as not placed", (
        Edit(HTTP, "kind = lost_kind(error) if armed else NotSent",
             "kind = lost_kind(error) if armed and not isinstance(error, httpx.ReadTimeout) else NotSent"),
    ), (SENDER,), within="hangs"),
    Mutant(3, "a 500 counts as not placed", (
        Edit(PLACING, "_TRY_ELSEWHERE = {407, 421, 425}", "_TRY_ELSEWHERE = {407, 421, 425, 500}"),
    ), (SENDER,), within="every_status"),
    Mutant(4, "a cancelled request counts as not placed", (
        Edit(HTTP, "                return await self._answer(request, cap)\n        except (ProviderError, asyncio.Canc"
             "elledError):\n            raise\n",
             "                return await self._answer(request, cap)\n        except asyncio.CancelledError as error:\n"
             "            raise NotSent('cancelled') from error\n        except ProviderError:\n            raise\n"),
    ), (SENDER,), within="cancelling"),
    Mutant(5, "the worker is told to send before the intent is on disk", (
        Edit(f"{LEDGER}/store.py", "                start += len(ask.items)\n",
             "                start += len(ask.items)\n            _resolve(asks)\n"),
    ), (FAILING,), within="no_answer_before and sqlite"),
    Mutant(6, "the gate does not look at the attempt's state", (NO_STALE_VERDICT, NO_GUARD), (DIALING,), within="i1 and sqlite"),
    Mutant(7, "the same, without the index on sends", (
        NO_STALE_VERDICT, NO_GUARD,
        Edit(f"{LEDGER}/tables.py", "sends.c.attempt_id, unique=True, sqlite_where=_live_send,",
             "sends.c.attempt_id, sqlite_where=_live_send,"),
    ), (DIALING,), within="i1 and sqlite"),
    Mutant(8, "two calls to one number at once", (
        Edit("dialer/domain/gate.py", "    if facts.number_is_live:\n", "    if False:\n"),
        Edit(f"{LEDGER}/tables.py", 'attempts_one_live_per_phone", attempts.c.phone, attempts.c.rehearsal, unique=True,',
             'attempts_one_live_per_phone", attempts.c.phone, attempts.c.rehearsal,'),
    ), ("tests/unit/domain/test_gate.py", DIALING), within="open_call or (i2 and sqlite)"),
    Mutant(9, "the gate and a pause may be inside at once", (NO_LOCK,), (SQL,), within="race"),
    Mutant(10, "nothing is asked at the last instant", (
        Edit("dialer/pipeline/send_permit.py",
             'Raises SendWithdrawn."""\n        self._refuse_late()\n', 'Raises SendWithdrawn."""\n'),
    ), ("tests/unit/pipeline/test_place_call.py",), within="late or first_byte"),
    Mutant(11, "a call of unknown fate holds no line", (
        Edit("dialer/domain/attempt.py", "LIVE = frozenset({S.DIALING, S.PLACED, S.UNKNOWN})",
             "LIVE = frozenset({S.DIALING, S.PLACED})"),
    ), (DIALING,), within="hold_a_line and sqlite"),
    Mutant(12, "a reading goes back to the one before only", (
        Edit(RECONCILE, "since = min([*back, *([] if late is None else [late])]) - CLOCK_SKEW_S",
             "since = self.read_at.get(self.provider.account, 0.0)"),
    ), (RECONCILING,)),
    Mutant(13, "absence is believed of a reading that broke off", (
        Edit(DOUBTS, "        if not past or not scan.complete:\n", "        if not past:\n"),
        Edit(DOUBTS, "await self.view.scans(self.account, oldest, now) if scan.whole]",
             "await self.view.scans(self.account, oldest, now)]"),
    ), (RECONCILING,)),
    Mutant(14, "redirects are followed", (
        Edit(HTTP, "        response.request = request\n        try:\n            body = await _read(response, cap)\n",
             "        response.request = request\n        if response.has_redirect_location:\n"
             "            target = request.url.join(response.headers['location'])\n"
             "            again = httpx.Request(request.method, target, headers=request.headers, content=request.content)\n"
             "            return await self._answer(again, cap)\n"
             "        try:\n            body = await _read(response, cap)\n"),
    ), (SENDER,), within="every_status"),
    Mutant(15, "control: the transport connects twice", (
        Edit("dialer/adapters/providers/http/lifo_transport.py",
             "            stream = await connect(host, origin.port, timeout_s, SOCKET_OPTIONS, *self._may)\n",
             "            try:\n                stream = await connect(host, origin.port, timeout_s, SOCKET_OPTIONS, *self._may)\n"
             "            except httpcore.ConnectError:\n"
             "                stream = await connect(host, origin.port, timeout_s, SOCKET_OPTIONS, *self._may)\n"),
    ), (SENDER, "tests/integration/test_lifo_transport.py"), control=True),
    Mutant(16, "a zone's offset is looked up once", (
        Edit("dialer/domain/local_time.py", "offset = datetime.fromtimestamp(at, UTC)",
             "offset = datetime.fromtimestamp(1_790_000_000, UTC)"),
    ), ("tests/unit/domain/test_opening.py", "tests/unit/domain/test_calling_window.py")),
    Mutant(17, "results are kept, and a hand-over is named after its attempt only", (
        Edit("jobs/worker.py", '    "keep_result": 0,\n', ""),
        Edit("jobs/worker.py", "func(place_call, max_tries=1, keep_result=0, timeout", "func(place_call, max_tries=1, timeout"),
        Edit("dialer/adapters/queue/arq_queue.py", "{part[0].attempt_id}.{part[0].dispatch}", "{part[0].attempt_id}"),
    ), ("tests/integration/test_arq_queue.py",)),
    Mutant(18, "an answer of 429 spends the attempt", (
        Edit(PLACING, "            return NotPlacedResult(reason, error.retry_after_s, throttled=True, http_status=status)",
             "            return Refused(Disposition.FAILED, reason, status)"),
    ), (SENDER,), within="every_status"),
    Mutant(19, "a possible number counts as a valid one", (
        Edit("dialer/domain/phone_number.py", "    if kind == PhoneNumberType.UNKNOWN:\n",
             "    if not phonenumbers.is_possible_number(number):\n"),
        Edit("dialer/domain/phone_number.py", "    if kind not in CALLABLE_TYPES:\n",
             "    if kind not in CALLABLE_TYPES | {PhoneNumberType.UNKNOWN}:\n"),
    ), ("tests/unit/domain/test_phone_number.py",)),
    Mutant(20, "jobs are pickled", (
        Edit("dialer/adapters/queue/arq_queue.py", "    return json.dumps(value, default=str).encode()\n",
             "    import pickle\n    return pickle.dumps(value)\n"),
        Edit("dialer/adapters/queue/arq_queue.py", "    return json.loads(value)\n",
             "    import pickle\n    return pickle.loads(value)\n"),
    ), ("tests/integration/test_arq_queue.py",)),
)  # fmt: skip
