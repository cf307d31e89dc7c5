"""dialer calls, dialer call: what the provider says about calls."""

from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from dialer.cli.printing import masked, print_json, print_table, put
from dialer.cli.reaching import ask
from dialer.domain.call import CallLog
from dialer.domain.disposition import Disposition
from dialer.errors import NotFound, UsageError
from dialer.pipeline.iso import iso
from dialer.reaching import Reached

COLUMNS = ("call_id", "started_at", "to", "agent", "disposition", "duration_s", "cost")


def list_calls(
    provider: str | None, since: str, until: str, agent: str, disposition: str, limit: int, *, as_json: bool
) -> None:
    """Calls in the provider's order. Raises UsageError for a filter that cannot be read."""
    begin, end = moment(since, "--since"), moment(until, "--until")
    wanted = _disposition(disposition)

    async def use(reached: Reached) -> list[CallLog]:
        calls: list[CallLog] = []
        async with aclosing(cast(Any, reached.archive.calls(begin, end, agent))) as logs:
            async for log in logs:
                if wanted is None or log.disposition is wanted:
                    calls.append(log)
                if limit and len(calls) == limit:
                    break
        return calls

    calls = ask(provider, use)
    if as_json:
        print_json([document(log) for log in calls])
        return
    rows = [{**document(log), "to": masked(log.to_number) if log.to_number else ""} for log in calls]
    print_table(COLUMNS, [[row[name] for name in COLUMNS] for row in rows])


def show_call(provider: str | None, call_id: str, *, transcript: bool, recording: Path | None, as_json: bool) -> None:
    """One call; its transcript and its recording if they are asked for. Raises NotFound."""

    async def use(reached: Reached) -> dict[str, Any]:
        call = document(await _row(reached, call_id))
        if reached.voice is not None:
            details = await reached.voice.calls.details(call_id)
            call |= {
                "pending": details.pending,
                "summary": details.summary or call["summary"],
                "entity": details.entity,
                "evaluation": details.evaluation,
            }
        if transcript:
            call["transcript"] = await reached.archive.transcript(call_id)
        if recording is not None:
            kind, size = await reached.archive.save_recording(call_id, recording)
            call["recording"] = {"path": str(recording), "content_type": kind, "bytes": size}
        return call

    shown = ask(provider, use)
    if as_json:
        print_json(shown)
    else:
        _print(shown, transcript_asked=transcript)


async def _row(reached: Reached, call_id: str) -> CallLog:
    """Its row in the log; on vaanivoice a call may be known before it has one."""
    try:
        return await reached.archive.call(call_id)
    except NotFound:
        if reached.voice is None:
            raise
        await reached.voice.calls.details(call_id)
        return CallLog(call_id, "", "", None, None, None, None, "")


def document(log: CallLog) -> dict[str, Any]:
    """A call for a machine: times in UTC, durations in seconds, the cost in the provider's units."""
    return {
        "call_id": log.call_id,
        "started_at": iso(log.started_at),
        "ended_at": iso(log.ended_at),
        "to": log.to_number,
        "agent": log.agent,
        "outbound": log.outbound,
        "disposition": str(log.disposition) if log.disposition else None,
        "status": log.raw_status,
        "duration_s": None if log.duration_s is None else round(log.duration_s, 1),
        "cost": log.cost,
        "summary": log.summary,
    }


def moment(text: str, option: str) -> float | None:
    """Unix seconds of a day or a time, UTC unless it names a zone. Raises UsageError."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f'{option} "{text}": write a day (2026-02-01) or a time (2026-02-01T09:00+05:30)') from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _disposition(text: str) -> Disposition | None:
    if text and text not in list(Disposition):
        raise UsageError(f'--disposition "{text}" must be one of {", ".join(Disposition)}')
    return Disposition(text) if text else None


def _print(shown: Mapping[str, Any], *, transcript_asked: bool) -> None:
    outcome = shown["disposition"] or shown["status"] or "not in the log yet"
    to = f" · {masked(shown['to'])}" if shown["to"] else ""
    put(f"{shown['call_id']}{to} · {outcome}")
    for name in ("started_at", "ended_at", "duration_s", "cost", "summary"):
        if shown[name]:
            put(f"{name}: {shown[name]}")
    for name in ("entity", "evaluation"):
        for key, value in (shown.get(name) or {}).items():
            put(f"{name}.{key}: {value}")
    if transcript_asked:
        for line in shown["transcript"].splitlines():
            put(f"  {line}")  # set in: what was said must not look like a line of ours
        if not shown["transcript"]:
            put("the transcript is still being made: ask again in some seconds")
    if "recording" in shown:
        put(f"recording: {shown['recording']['path']} ({shown['recording']['bytes']:,} bytes)")
