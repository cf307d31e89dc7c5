"""A login at api.vaani.ai: the cookie ``access_token``, and how it is renewed when it runs out while calls go out."""

import asyncio
import hashlib
import json
from http.cookies import CookieError, SimpleCookie
from random import Random

from dialer.adapters.providers.answers.proof import Answer, json_object, write_error
from dialer.adapters.providers.http.requests import Endpoint, Headers, ProviderHttp, Secret, may_ask_again
from dialer.adapters.providers.vaani.models import Tokens
from dialer.errors import AnswerUnreadable, LedgerUnavailable, LoginExpired, NotPlaced, ProviderError
from dialer.ports import Clock, LoginStore

LEASE_S, WAIT_S = 60.0, 0.25
LOGIN_PATH, REFRESH_PATH, LOGOUT_PATH = "/auth/login", "/auth/refresh", "/auth/logout"

_JSON: Headers = (("content-type", "application/json"), ("accept-encoding", "identity"))


class CookieLogin:
    """The two cookies of a login. Everybody who met the same 401 waits for one renewal.

    With a store that holds over all workers and restarts: a refresh token may be good for one renewal only.
    """

    def __init__(
        self, http: ProviderHttp, access_token: str, refresh_token: str = "", store: LoginStore | None = None
    ) -> None:
        self._http = http
        self._refresh_token = refresh_token
        self._lock = asyncio.Lock()
        self._expired = ""
        self.age = 0
        self._store, self._renewals = store, 0
        # New tokens set by a person are another login.
        given = hashlib.sha256(f"{access_token} {refresh_token}".encode()).hexdigest()
        self._name = f"vaani:{given[:16]}"
        self._holder = f"{http.random.getrandbits(64):016x}" if store is not None else ""
        self._access_token = access_token
        if access_token:
            self._wear()

    async def log_in(self, email: str, password: str) -> Tokens:
        """``POST /auth/login``. Raises KeyRefused and the other ProviderErrors."""
        self._http.conceal(password)
        return await self._ask(LOGIN_PATH, {"email": email, "password": password})

    async def refresh(self) -> Tokens:
        """``POST /auth/refresh`` with the refresh cookie. Raises KeyRefused and the other ProviderErrors."""
        self._wear(f"; refresh_token={self._refresh_token}")
        try:
            return await self._ask(REFRESH_PATH, {})
        finally:
            self._wear()

    async def log_out(self) -> None:
        """``POST /auth/logout``."""
        answer = await self._http.exchange("POST", LOGOUT_PATH, b"{}", headers=_JSON)
        error = write_error(answer, self._http.hide)
        if error is not None:
            raise error

    async def renew(self, age: int) -> bool:
        """Renew a login that was refused at this age, unless somebody did meanwhile, here or in another worker.

        False when what another worker keeps is worn now. Raises LoginExpired when the renewal is refused, now and ever
        after, until a person acts; NotPlaced when it failed in passing.
        """
        async with self._lock:
            if self._expired:
                raise LoginExpired(self._expired, status=401)
            if age != self.age:
                return True
            try:
                if await self._adopted():
                    return False
                if not self._refresh_token:
                    self._expired = "the access token ran out and there is no refresh token to renew it with"
                    raise LoginExpired(self._expired, status=401)
                if not await self._claimed():
                    return False
                await self._renew()
            except LedgerUnavailable as unavailable:
                raise NotPlaced(f"the access token ran out and the ledger is away: {unavailable}") from unavailable
        return True

    async def _renew(self) -> None:
        tokens = ""
        try:
            renewed = await self.refresh()
            tokens = json.dumps([renewed.access_token, renewed.refresh_token])
        except ProviderError as error:
            problem = f"the access token ran out and renewing it failed: {error}"
            if may_ask_again(error):
                raise NotPlaced(problem, retry_after_s=error.retry_after_s) from error
            self._expired = problem
            raise LoginExpired(problem, status=401, body=error.body) from error
        finally:
            if self._store is not None:
                await self._store.keep_login(self._name, self._holder, tokens)
                self._renewals += bool(tokens)

    async def _adopted(self) -> bool:
        """Whether another worker renewed it since; what that got is worn from now on."""
        if self._store is None:
            return False
        kept = await self._store.login(self._name)
        if kept.renewals <= self._renewals or not kept.tokens:
            return False
        self._access_token, self._refresh_token = json.loads(kept.tokens)
        self._renewals = kept.renewals
        self.age += 1
        self._wear()
        return True

    async def _claimed(self) -> bool:
        """Whether it is for this worker to renew; False when another one did while this one waited."""
        if self._store is None:
            return True
        while not await self._store.claim_login(self._name, self._holder, LEASE_S):
            await self._http.clock.sleep(WAIT_S)
            if await self._adopted():
                return False
        if not await self._adopted():
            return True
        await self._store.keep_login(self._name, self._holder, "")
        return False

    async def _ask(self, path: str, body: object) -> Tokens:
        answer = await self._http.exchange("POST", path, json.dumps(body).encode(), headers=_JSON)
        error = write_error(answer, self._http.hide)
        if error is not None:
            raise error
        tokens = _tokens(answer)
        self._access_token = tokens.access_token
        self._refresh_token = tokens.refresh_token or self._refresh_token
        self._expired = ""
        self.age += 1
        self._wear()
        return tokens.model_copy(update={"refresh_token": self._refresh_token})

    def _wear(self, more: str = "") -> None:
        self._http.conceal(self._access_token, self._refresh_token)
        self._http.authenticate("cookie", f"access_token={self._access_token}{more}")


def _tokens(answer: Answer) -> Tokens:
    """From the cookies that were set, else from the body. Raises AnswerUnreadable when neither holds a token."""
    worn: dict[str, str] = {}
    for line in answer.headers.get_list("set-cookie"):
        try:
            worn |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        except CookieError:
            continue
    if not worn.get("access_token") and answer.body.strip():
        worn = {name: value for name, value in json_object(answer).items() if isinstance(value, str)} | worn
    if not worn.get("access_token"):
        raise AnswerUnreadable("the login was accepted, yet no access token came with it", status=answer.status)
    return Tokens.read({"access_token": worn["access_token"], "refresh_token": worn.get("refresh_token", "")})


def open_http(endpoint: Endpoint, clock: Clock, random: Random) -> tuple[ProviderHttp, CookieLogin]:
    """The connections of an account that goes by its key or, without one, by its login."""
    headers = {"x-api-key": Secret(endpoint.api_key)} if endpoint.api_key else {}
    http = ProviderHttp(endpoint, headers, clock, random)
    login = CookieLogin(
        http, "" if endpoint.api_key else endpoint.access_token, endpoint.refresh_token, endpoint.logins
    )
    if not endpoint.api_key:
        http.login = login
    return http, login
