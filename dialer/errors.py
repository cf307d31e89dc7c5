"""Every error this program raises on purpose.

DialerError
├── UsageError                 exit 2: the message names the place and the remedy
│   ├── InputFileError         a contact list that is refused whole
│   ├── CampaignFileError      a campaign file or override that cannot be obeyed
│   ├── UnknownName            no campaign, attempt or person of that name
│   └── WrongMoment            what was asked for does not fit the present state
├── ReadingStopped             a process that read a list was ended; the same list again adds the rest
├── Interrupted                exit 130: a signal ended the command; the same command goes on
├── CannotServe                the page's address cannot be listened on
├── LedgerUnavailable          the ledger cannot be read or written now
│   └── LedgerNewer            a newer program upgraded it: this one must make room
├── SourceUnavailable          a campaign's source cannot be read now
├── QueueUnavailable           Redis cannot be reached now
└── ProviderError              what a provider answered, or failed to answer
    ├── NotSent                proven: no byte of the request left (refused, DNS, connect time-out, no slot)
    │   └── SendWithdrawn      the permit to send was withdrawn before the first byte
    ├── NotPlaced              the provider answered, and by its contract placed nothing
    │   ├── Throttled          429, 503 that carries Retry-After, or a limit in words
    │   ├── CampaignBlocked    the agent's number or line: halts the campaign
    │   │   └── AgentMissing   404, or an agent that cannot call
    │   └── AccountBlocked     the account, 401, 402, 403 for the key: halts the account
    │       ├── KeyRefused     401
    │       │   ├── Forbidden  403
    │       │   └── LoginExpired  401, and renewing the login did not help
    │       ├── NoCredit       402
    │       └── AddressMoved   3xx
    ├── CallRefused            do-not-disturb, documented ``success: false``: this number or payload
    │   └── RequestInvalid     400, 422
    ├── NotFound               404 for a log, an agent, a recording
    │   ├── SessionExpired     410
    │   └── TranscriptMissing  no transcript, said by a 404 or inside a 200
    ├── WebhookForged          a webhook without the signature of the secret, or older than allowed
    └── OutcomeUnknown         anything after the first byte that is not one of the above
        ├── AnswerLate         no answer in time
        ├── ConnectionLost     reset or closed before an answer came
        │   └── AnswerCut      half of an answer, or none that is HTTP
        ├── AnswerUnreadable   a 2xx without the JSON that the contract promises
        │   ├── CallIdMissing  a success that names no call (``output`` null)
        │   └── AnswerTooLarge a body over the cap
        ├── Unsuccessful       a 2xx with ``success: false`` for a reason nobody documented
        ├── TranscriptFailed   a 200 that reports an error in place of a transcript
        └── ServerFailed       5xx
"""


class DialerError(Exception):
    """Base of every error raised on purpose."""


class UsageError(DialerError):
    """The user asked for something that cannot be done as asked; the message says what to do instead."""


class InputFileError(UsageError):
    """A contact list that is refused whole.

    ``place`` is ``file``, ``file:line`` or ``file:line:column``; ``remedy`` says how to mend it.
    """

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        super().__init__(f"{place}: {problem}. {remedy}")
        self.place, self.problem, self.remedy = place, problem, remedy


class CampaignFileError(UsageError):
    """A campaign file or an override that cannot be obeyed."""


class UnknownName(UsageError):
    """No campaign, attempt or person goes by that name."""


class WrongMoment(UsageError):
    """The campaign is not in a state in which that can be done."""


class ChangedMeanwhile(UsageError):
    """What is to be changed is no longer as who asks has seen it."""


class ReadingStopped(DialerError):
    """A process of ours that read the numbers of a list was ended from outside."""

    def __init__(self) -> None:
        super().__init__(
            "a process that read the list was ended (for want of memory?): the same list again adds the rest"
        )


class Interrupted(DialerError):
    """A signal ended the command before it was done."""


class CannotServe(DialerError):
    """The address of the page cannot be listened on: it is used, or is none of this machine."""


class LedgerUnavailable(DialerError):
    """The ledger cannot be read or written now; nothing was changed."""


class LedgerNewer(LedgerUnavailable):
    """A newer program upgraded the ledger; this one does not know everything that stands in it now."""


class SourceUnavailable(DialerError):
    """A campaign's source cannot be read now, or not to its end; the message holds no secret of its address."""


class QueueUnavailable(DialerError):
    """Redis cannot be reached now."""


class ProviderError(DialerError):
    """What a provider answered, or failed to answer.

    ``status`` is the HTTP status, or None when no answer came; ``code`` the vendor's own error code;
    ``body`` the start of the answer's text; ``retry_after_s`` seconds, or None when absent or nonsense.
    ``remedy`` is what a person can do, where the answer's own words leave no doubt who is to act; ``about`` names
    what a refusal is about (``dialer.domain.refusal.About``).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        body: str = "",
        retry_after_s: float | None = None,
        remedy: str = "",
        about: str = "",
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.body, self.retry_after_s = status, code, body, retry_after_s
        self.remedy, self.about = remedy, about


class NotSent(ProviderError):
    """Proven: no byte of the request left this machine."""


class SendWithdrawn(NotSent):
    """The permit to send was withdrawn before the first byte (too late, paused, braked, stopping)."""


class NotPlaced(ProviderError):
    """The provider answered, and by its contract placed nothing."""


class Throttled(NotPlaced):
    """429, a 503 that carries Retry-After, or an answer whose words name a limit."""


class CampaignBlocked(NotPlaced):
    """The campaign cannot place any call until a person acts: its agent, or what that calls with."""


class AccountBlocked(NotPlaced):
    """The account cannot place any call until a person acts."""


class KeyRefused(AccountBlocked):
    """401: the key is missing or wrong."""


class Forbidden(KeyRefused):
    """403: this key may not do this."""


class LoginExpired(KeyRefused):
    """401 although the login was renewed, or because it could not be."""


class NoCredit(AccountBlocked):
    """402: the wallet is empty."""


class AddressMoved(AccountBlocked):
    """3xx at the place-call endpoint: the provider is somewhere else."""


class AgentMissing(CampaignBlocked):
    """404 at the place-call endpoint, or words of an agent that is not known or cannot call."""


class CallRefused(ProviderError):
    """This number or this payload was refused; nothing was placed."""


class RequestInvalid(CallRefused):
    """400 or 422: a parameter is missing or not as it must be; the message names it."""


class NotFound(ProviderError):
    """No such log, agent or recording."""


class SessionExpired(NotFound):
    """410: the browser session has ended or expired."""


class TranscriptMissing(NotFound):
    """There is no transcript of this call, whether a 404 says so or the text of a 200."""


class WebhookForged(ProviderError):
    """A webhook that the secret did not sign, or that is older than allowed: it says nothing."""


class OutcomeUnknown(ProviderError):
    """Bytes may have left and no readable contract answer came back: the call may or may not exist."""


class AnswerLate(OutcomeUnknown):
    """No whole answer came in time."""


class ConnectionLost(OutcomeUnknown):
    """The connection was reset or closed before an answer came."""


class AnswerCut(ConnectionLost):
    """Half of an answer came, or something that is not HTTP."""


class AnswerUnreadable(OutcomeUnknown):
    """A 2xx whose body is not the JSON that the contract promises."""


class AnswerTooLarge(AnswerUnreadable):
    """A body over the cap: asked again as it is, it would be no smaller."""


class CallIdMissing(AnswerUnreadable):
    """A success that names no call: there is nothing to wait for."""


class Unsuccessful(OutcomeUnknown):
    """A 2xx with ``success: false``, for a reason that nobody documented."""


class TranscriptFailed(OutcomeUnknown):
    """A 200 that reports an error in place of a transcript."""


class ServerFailed(OutcomeUnknown):
    """5xx: whether the request was carried out is not known."""
