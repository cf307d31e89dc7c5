"""Every error this program raises on purpose.

DialerError
├── UsageError                 exit 2: the message names the place and the remedy
│   ├── InputFileError         a contact list that is refused whole
│   ├── CampaignFileError      a campaign file or override that cannot be obeyed
│   └── UnknownName            no campaign, attempt or person of that name
├── LedgerUnavailable          the ledger cannot be read or written now
├── QueueUnavailable           Redis cannot be reached now
└── ProviderError              what a provider answered, or failed to answer
    ├── NotSent                proven: no byte of the request left (refused, DNS, connect time-out, no slot)
    │   └── SendWithdrawn      the permit to send was withdrawn before the first byte
    ├── NotPlaced              the provider answered, and by its contract placed nothing
    │   ├── Throttled          429, or 503 that carries Retry-After
    │   └── AccountBlocked     401, 402, 403 for the key, 404 for the agent: halts the account
    │       ├── KeyRefused     401, 403
    │       ├── NoCredit       402
    │       └── AgentMissing   404
    ├── CallRefused            400, 422, do-not-disturb, documented ``success: false``: this number or payload
    ├── NotFound               404 for a log, a transcript, a recording
    └── OutcomeUnknown         anything after the first byte that is not one of the above
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


class LedgerUnavailable(DialerError):
    """The ledger cannot be read or written now; nothing was changed."""


class QueueUnavailable(DialerError):
    """Redis cannot be reached now."""


class ProviderError(DialerError):
    """What a provider answered, or failed to answer.

    ``status`` is the HTTP status, or None when no answer came; ``code`` the vendor's own error code;
    ``body`` the start of the answer's text; ``retry_after_s`` seconds, or None when absent or nonsense.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        body: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.body, self.retry_after_s = status, code, body, retry_after_s


class NotSent(ProviderError):
    """Proven: no byte of the request left this machine."""


class SendWithdrawn(NotSent):
    """The permit to send was withdrawn before the first byte (too late, paused, braked, stopping)."""


class NotPlaced(ProviderError):
    """The provider answered, and by its contract placed nothing."""


class Throttled(NotPlaced):
    """429, or a 503 that carries Retry-After."""


class AccountBlocked(NotPlaced):
    """The account cannot place any call until a person acts."""


class KeyRefused(AccountBlocked):
    """401 or 403: the key is missing, wrong, or may not do this."""


class NoCredit(AccountBlocked):
    """402: the wallet is empty."""


class AgentMissing(AccountBlocked):
    """404 at the place-call endpoint: the agent is not known."""


class CallRefused(ProviderError):
    """This number or this payload was refused; nothing was placed."""


class NotFound(ProviderError):
    """No such log, transcript or recording."""


class OutcomeUnknown(ProviderError):
    """Bytes may have left and no readable contract answer came back: the call may or may not exist."""
