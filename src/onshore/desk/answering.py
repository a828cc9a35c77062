"""Answering: one request from who asks to what is sent back; every page and act goes through here."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from onshore.desk import problems, render
from onshore.desk import who as persons
from onshore.desk.asked import Asked
from onshore.desk.browser import Cookies, local, seed
from onshore.desk.files import read_files
from onshore.desk.forms import FIELD, HEADER, Form, TooLarge, form_of, is_ours, read_body, token_for
from onshore.desk.headers import MAPS, content_policy
from onshore.desk.pace import Pace, address
from onshore.desk.page import Answer, Entered, File, Kept, Moved, Page
from onshore.desk.problems import Problem
from onshore.desk.route import Route
from onshore.desk.showing import Showing
from onshore.desk.texts import LANGUAGES, read_texts
from onshore.desk.who import NOBODY, Who
from onshore.register import passwords, sessions
from onshore.site import Site
from onshore.words.errors import Broken, Malformed, OnshoreError

_SEED = 16  # bytes
_SLOW = 408
_MOST_SAID = 1000  # messages that wait for whoever was sent on
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Caller:
    """Where a request came from: who, the tokens that it showed, in which language; `speaks`: JSON."""

    who: Who
    session: str
    visitor: str
    lang: str
    speaks: bool

    @property
    def seed(self) -> str:
        """What the forms of theirs are tied to."""
        return self.session or self.visitor


class Answering:
    """A site's desk: what it answers with, and what it remembers between two requests (nothing that matters)."""

    def __init__(self, site: Site, routes: tuple[Route, ...]) -> None:
        self.files = read_files()
        self._site, self._routes, self._limits = site, routes, sessions.limits_of(site)
        self._cookies = Cookies(self._limits)
        self._paces = {few: Pace(few or self._limits.requests, site.clock) for few in {0, *(r.few for r in routes)}}
        self._texts = {lang: read_texts(lang) for lang in LANGUAGES}
        self._pages = render.Pages(self.files, site.settings.site.name, site.settings.site.jurisdiction)
        self._said: dict[str, tuple[str, Mapping[str, str | int]]] = {}

    async def answer(self, route: Route, request: Request, *, twin: bool) -> Response:
        """Answer a request by a route's function; one of our errors becomes a problem.

        Of what is sent nothing is read before it is known that whoever sends it may, now, as often as they ask.
        """
        speaks = twin or request.headers.get("accept", "").startswith("application/json")
        caller, wrong = await run_in_threadpool(self._admitted, route, request, speaks=speaks)
        body = b""
        if route.method == "POST" and wrong is None:
            try:
                body = await read_body(request, _most(route, caller))
            except TooLarge:
                wrong = problems.LARGE
            except TimeoutError:
                wrong = replace(problems.of_error(Malformed("it came too slowly")), status=_SLOW)
        return await run_in_threadpool(self._answered, route, request, caller, body, wrong)

    async def problem(self, request: Request, problem: Problem) -> Response:
        """Answer with a problem, where no route takes the request or its function failed."""
        speaks = request.url.path.endswith(".json")
        return await run_in_threadpool(lambda: self._problem(request, self._caller(request, speaks=speaks), problem))

    def _admitted(self, route: Route, request: Request, *, speaks: bool) -> tuple[Caller, Problem | None]:
        """Who asks, and why they are not answered, as far as that is known before what they send is read."""
        caller = self._caller(request, speaks=speaks)
        return caller, self._waits(route, request, caller) or self._others(route, caller)

    def _answered(self, route: Route, request: Request, caller: Caller, body: bytes, wrong: Problem | None) -> Response:
        form = Form()
        if route.method == "POST" and wrong is None:
            # Anew: while it was read, they may have been signed out.
            caller = replace(self._caller(request, speaks=caller.speaks), visitor=caller.visitor)
            try:
                form = form_of(request.headers.get("content-type", ""), body, _most(route, caller))
            except Malformed as malformed:
                wrong = problems.of_error(malformed)
            wrong = self._others(route, caller) or wrong or self._forged(request, caller, form)
        if wrong is problems.SIGN_IN and not caller.speaks and route.method == "GET":
            return self._dressed(request, caller, RedirectResponse(f"/sign-in?to={request.url.path}", 303))
        if wrong is not None:
            return self._problem(request, caller, wrong)
        try:
            given = route.act(persons.seen_by(self._site, caller.who), caller.who, self._asked(request, caller, form))
        except passwords.Busy as busy:
            return self._problem(request, caller, problems.busy(busy.waits))
        except OnshoreError as error:
            if isinstance(error, Broken):
                log.warning("desk: %s", error)
            return self._problem(request, caller, problems.of_error(error))
        return self._dressed(request, caller, self._given(route, request, caller, given))

    def _caller(self, request: Request, *, speaks: bool) -> Caller:
        session, visitor = self._cookies.read(request, "session"), self._cookies.read(request, "visitor")
        account = sessions.session(self._site, session) if session else None
        who = Who() if account is None else persons.of(self._site, account)
        visitor = visitor or seed(self._site.randomness(_SEED))
        return Caller(who, session if account else "", visitor, self._cookies.lang(request), speaks)

    def _waits(self, route: Route, request: Request, caller: Caller) -> Problem | None:
        """Whoever asks too often, by session, or without one, and of what is rare, by address."""
        peer = request.client.host if request.client else ""
        forwarded = ",".join(request.headers.getlist("x-forwarded-for")) if self._limits.origin else ""
        place = f"address {address(peer, forwarded)}"
        seconds = self._paces[0].waits(caller.session or place)
        seconds = seconds or (self._paces[route.few].waits(place) if route.few else 0)
        return problems.busy(seconds) if seconds else None

    @staticmethod
    def _others(route: Route, caller: Caller) -> Problem | None:
        if caller.who.role in route.roles:
            return None
        return problems.SIGN_IN if caller.who.role == NOBODY else problems.OTHERS

    def _forged(self, request: Request, caller: Caller, form: Form) -> Problem | None:
        said = next((value for name, value in form.fields if name == FIELD), request.headers.get(HEADER, ""))
        return None if is_ours(self._site, caller.seed, said, request.headers) else problems.FORGED

    @staticmethod
    def _asked(request: Request, caller: Caller, form: Form) -> Asked:
        fields = form.fields if request.method == "POST" else tuple(request.query_params.multi_items())
        part = request.headers.get("hx-request") == "true"
        return Asked(request.url.path, request.path_params, fields, form.files, part, caller.session)

    def _given(self, route: Route, request: Request, caller: Caller, given: Answer) -> Response:
        """What a function gave, as a response."""
        if isinstance(given, File):
            named = {"Content-Disposition": f'attachment; filename="{given.name}"'}
            return Response(given.body, media_type=given.media, headers=named)
        if caller.speaks:
            data = given.data if isinstance(given, Page | Moved) else {"to": given.to}
            more = {"to": given.to} if isinstance(given, Moved) else {}
            status = given.status if isinstance(given, Page) else 200
            response = Response(render.json({**more, **data}), status, media_type="application/json")
        elif isinstance(given, Page):
            policy = {"Content-Security-Policy": content_policy(MAPS)} if route.maps else {}
            html = self._pages.html(given, self._showing(request, caller, route.area))
            response = Response(html, given.status, policy, "text/html; charset=utf-8")
        else:
            response = RedirectResponse(local(given.to), 303)
        if isinstance(given, Moved) and given.says and caller.session and not caller.speaks:
            self._remember(caller.session, given)
        if isinstance(given, Entered):
            self._cookies.set(response, "session", given.token)
        if isinstance(given, Kept):
            self._cookies.set(response, given.name, given.value, lasting=True)
        return response

    def _remember(self, session: str, moved: Moved) -> None:
        self._said[session] = moved.says, moved.values
        if len(self._said) > _MOST_SAID:
            self._said.pop(next(iter(self._said)))

    def _problem(self, request: Request, caller: Caller, problem: Problem) -> Response:
        headers = {"Retry-After": str(problem.waits)} if problem.waits else {}
        headers |= {"Connection": "close"} if problem.status == _SLOW else {}  # RFC 9110 §15.5.9
        if caller.speaks:
            body, media = render.json(problem.said()), problems.MEDIA
        else:
            body = self._pages.html(problem.page(), self._showing(request, caller, "common")).encode()
            media = "text/html; charset=utf-8"
        return self._dressed(request, caller, Response(body, problem.status, headers, media))

    def _showing(self, request: Request, caller: Caller, area: str) -> Showing:
        """For whom the page is: with the message that waits for them, which is then told."""
        texts, role = self._texts[caller.lang], caller.who.role
        says, values = self._said.pop(caller.session, ("", {})) if caller.session else ("", {})
        nav = [(r.path, texts.text(r.area, r.nav)) for r in self._routes if r.nav and role in r.roles]
        told = texts.text(area, says)
        return Showing(
            texts,
            area,
            caller.who,
            local(request.url.path),  # links of the page begin with it
            self._site.law.zone,
            self._site.clock(),
            token_for(self._site, caller.seed),
            nav,
            told % values if values else told,
            self._cookies.kept(request, "theme"),
        )

    def _dressed(self, request: Request, caller: Caller, response: Response) -> Response:
        """The response with what the browser is to keep."""
        if self._cookies.read(request, "visitor") != caller.visitor:
            self._cookies.set(response, "visitor", caller.visitor)
        if request.query_params.get("lang") in LANGUAGES:
            self._cookies.set(response, "lang", caller.lang, lasting=True)
        return response


def _most(route: Route, caller: Caller) -> int:
    """Bytes that one may send: without an account no more than a form without files has."""
    return min(route.most, Route.most) if caller.who.role == NOBODY else route.most
