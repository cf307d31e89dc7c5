"""What every provider keeps, as functions of its ``Dialect``: also for packages outside this repository."""

from collections.abc import Awaitable, Callable
from functools import partial

from tests.contract import test_provider, test_provider_logs

CONTRACT: list[Callable[..., Awaitable[None]]] = [
    test_provider.test_placing_sends_one_request_with_the_token_and_the_key,
    test_provider_logs.test_an_answered_call_is_read_with_times_and_token,
    test_provider_logs.test_an_unanswered_call_is_read_from_its_structure,
    test_provider_logs.test_an_unknown_word_without_structure_is_never_final_by_guess,
    test_provider_logs.test_every_envelope_is_read_to_its_end,
    test_provider_logs.test_a_log_that_says_it_is_empty_is_empty,
    test_provider_logs.test_reading_is_repeated_on_what_passes_and_honours_retry_after,
    *(
        partial(test_provider_logs.test_an_unreadable_log_is_not_an_empty_one, body=body)
        for body in ({"data": None}, {}, "text", None, 5)
    ),
]
