"""dialer redial: the people of an outcome are called again."""

from difflib import get_close_matches

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.bootstrap import ring_feeder
from dialer.cli.opening import with_ledger
from dialer.cli.printing import print_json, put
from dialer.control_room import open_control
from dialer.domain.disposition import Disposition
from dialer.domain.people_filter import NEVER_AGAIN
from dialer.errors import UsageError
from dialer.pipeline.control_campaign import Redialed


def redial(name: str, outcomes: str, reason: str, *, only_look: bool, as_json: bool) -> None:
    """Call these people again, or only say how many. Raises UsageError."""
    wanted = [_outcome(word.strip()) for word in outcomes.split(",") if word.strip()]
    if not wanted:
        raise UsageError("which outcomes? give --outcome no_answer,voicemail")

    async def use(settings: Settings, ledger: SqlLedger) -> Redialed:
        done = await open_control(settings, ledger, reason).redial(name, wanted, only_look=only_look)
        if done.people and not only_look:
            await ring_feeder(settings, ledger)
        return done

    done = with_ledger(use)
    if as_json:
        words = [str(outcome) for outcome in wanted]
        print_json({"campaign": name, "outcomes": words, "people": done.people, "skipped": dict(done.skipped)})
        return
    put(f"{name}: {'to be called again' if only_look else 'called again'}: {done.people:,} ({', '.join(wanted)})")
    for why, count in sorted(done.skipped.items(), key=lambda item: -item[1]):
        put(f"  not called again: {count:,}, {why}")


def _outcome(word: str) -> Disposition:
    allowed = [outcome for outcome in Disposition if outcome not in NEVER_AGAIN]
    if word in allowed:
        return Disposition(word)
    if word in NEVER_AGAIN:
        raise UsageError(f"people whose number is {word} are not called again: correct the number in the list")
    near = get_close_matches(word, allowed, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"one of {', '.join(allowed)}"
    raise UsageError(f'"{word}" is no outcome of a call: {hint}')
