"""A login that can run out while calls are placed."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from dialer.errors import KeyRefused, LoginExpired

T = TypeVar("T")
REFUSED = 401


class Login(Protocol):
    """What can be renewed."""

    @property
    def age(self) -> int:
        """How often it was renewed."""
        ...

    async def renew(self, age: int) -> bool:
        """Renew a login that was refused at this age, unless that was done meanwhile.

        False when it is one that was renewed elsewhere, who knows when: refused once more, it may be renewed once more.
        Raises LoginExpired, and NotPlaced when it failed in passing.
        """
        ...


async def with_login(login: Login, once: Callable[[], Awaitable[T]]) -> T:
    """Do something; after a 401, renew the login and do it once more: by its contract a 401 did nothing.

    Raises LoginExpired when that failed.
    """
    fresh = False
    while True:
        age = login.age
        try:
            return await once()
        except KeyRefused as refused:
            if refused.status != REFUSED:
                raise
            if fresh:
                problem = f"{refused} (even after the login was renewed)"
                raise LoginExpired(problem, status=REFUSED, code=refused.code, body=refused.body) from None
            fresh = await login.renew(age)
