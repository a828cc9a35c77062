"""The app: the table of routes as a Starlette application, behind its headers."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path
from starlette.types import ASGIApp

from onshore.desk import problems
from onshore.desk.answering import Answering
from onshore.desk.headers import Guarded
from onshore.desk.problems import Problem
from onshore.desk.route import Route
from onshore.desk.routes import ROUTES, refuse_doubled
from onshore.register.sessions import limits_of
from onshore.site import Site

Endpoint = Callable[[Request], Awaitable[Response]]


def app(site: Site, routes: tuple[Route, ...] = ROUTES) -> ASGIApp:
    """The desk of an open site, as an ASGI application; refuses to begin with two routes of one path."""
    refuse_doubled(routes)
    answering = Answering(site, routes)
    paths = [Path("/static/{name}", answering.files.answer, methods=["GET"])]
    # Twins first: "{case}" would take "7.json" for a case.
    paths += [_path(answering, route, twin=True) for route in routes if not route.file]
    paths += [_path(answering, route, twin=False) for route in routes]
    handlers = {HTTPException: partial(_otherwise, answering), Exception: partial(_fault, answering)}
    # Around all of it: Starlette answers a fault outside of whatever middleware it is given.
    return Guarded(Starlette(routes=paths, exception_handlers=handlers), limits_of(site))


def _path(answering: Answering, route: Route, *, twin: bool) -> Path:
    async def endpoint(request: Request) -> Response:
        return await answering.answer(route, request, twin=twin)

    methods = [route.method] if route.method == "POST" else ["GET", "HEAD"]
    return Path(route.twin if twin else route.path, endpoint, methods=methods)


async def _otherwise(answering: Answering, request: Request, error: Exception) -> Response:
    known: dict[int, Problem] = {404: problems.ABSENT, 405: problems.METHOD}
    status = error.status_code if isinstance(error, HTTPException) else 500
    return await answering.problem(request, known.get(status, problems.FAULT))


async def _fault(answering: Answering, request: Request, _error: Exception) -> Response:
    return await answering.problem(request, problems.FAULT)
