"""Signing in and out, and the one-time links by which people set their passwords."""

from urllib.parse import urlsplit

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from console.serving.rendering import written
from console.serving.site import Site, site_of
from console.serving.view import answer
from console.trust import cookie, passwords
from console.trust.actor import actor_of
from console.trust.acts import Act, Role
from console.trust.grants import Grants
from console.trust.guard import Refused, TooMany, guarded, known
from console.trust.people import Doer, Mistaken, People
from console.trust.signing_in import sign_in
from console.trust.welcoming import FIRST
from ledger import accounts


async def show(request: Request) -> Response:
    site = site_of(request)
    if await actor_of(request) is not None:
        return RedirectResponse(inside(request.query_params.get("next", "")), 303)
    return await _form(request, site, "", "", request.query_params.get("next", ""))


async def enter(request: Request) -> Response:
    site = site_of(request)
    async with request.form(max_files=0, max_fields=10) as form:
        name, password, after = (str(form.get(each, "")) for each in ("name", "password", "next"))
    agent, address = request.headers.get("user-agent", ""), site.address_of(request)
    try:
        secret = await to_thread.run_sync(sign_in, site, name, password, address, agent, limiter=site.slow)
    except Refused as error:
        return await _refused(request, site, error, name[:64], after)
    response = RedirectResponse(inside(after), 303)
    cookie.give(response, site, secret)
    return response


async def leave(request: Request) -> Response:
    site, actor = site_of(request), await known(request)
    people = People(site.client, site.keys, Doer(actor.name, actor.client), site.now())
    await site.read(people.end_sessions, actor.name, actor.id)
    response = await _left(request, site)
    cookie.take(response, site)
    cookie.take_identity(response, site)
    response.headers["clear-site-data"] = '"cache"'
    return response


async def _left(request: Request, site: Site) -> Response:
    """Who came through the provider leaves through it, where it offers that."""
    token = cookie.identity(request, site)
    if not token or site.oidc is None:
        return RedirectResponse("/login", 303)
    from console.trust.oidc import flow  # noqa: PLC0415  # an extra

    where = await flow.leaving(site, token)
    return HTMLResponse(written("bounce.html", {"url": where})) if where else RedirectResponse("/login", 303)


async def go(request: Request) -> Response:
    """To the provider."""
    site = site_of(request)
    if site.oidc is None:
        raise _no_provider()
    from console.trust.oidc import flow  # noqa: PLC0415  # an extra

    after = inside(request.query_params.get("next", ""))
    try:
        sent = await flow.begin(site, cookie.away(request, site), after, site.address_of(request))
    except Refused as error:
        return await _refused(request, site, error, "", after)
    response = RedirectResponse(sent.url, 303)
    cookie.give_away(response, site, sent.secret, flow.LASTS_MS)
    return response


async def come_back(request: Request) -> Response:
    """From the provider. The session's cookie is not sent to where another site leads: so our own page leads on."""
    site = site_of(request)
    if site.oidc is None:
        raise _no_provider()
    from console.trust.oidc import flow  # noqa: PLC0415  # an extra

    agent, held = request.headers.get("user-agent", ""), cookie.away(request, site)
    arrival = flow.Arrival(dict(request.query_params), held, site.address_of(request), agent)
    try:
        entered = await flow.finish(site, arrival)
    except Refused as error:
        return await _refused(request, site, error, "", "")
    response = HTMLResponse(written("bounce.html", {"url": entered.after}))
    lasts_ms = site.oidc.settings.session_ms
    cookie.give(response, site, entered.secret, lasts_ms)
    cookie.give_identity(response, site, entered.id_token, lasts_ms)
    return response


def _no_provider() -> Refused:
    return Refused("people sign in here with a name and a password", "see TOCSIN_CONSOLE_OIDC_ISSUER")


async def welcome(request: Request) -> Response:
    """What a one-time link opens. Looking at it does not use it up: mail programs look at links."""
    site, secret = site_of(request), request.path_params["secret"]
    name = await site.read(accounts.invited, site.client, site.keys, secret)
    if not name:
        raise Refused(
            "this link was used, or has run out", "ask an admin for another: tocsin users invite NAME"
        )
    return await _welcome(request, name, "" if name == FIRST else name)


async def begin(request: Request) -> Response:
    site, secret = site_of(request), request.path_params["secret"]
    async with request.form(max_files=0, max_fields=10) as form:
        name, password = str(form.get("name", "")).strip().lower(), str(form.get("password", ""))
    invited = await site.read(accounts.invited, site.client, site.keys, secret)
    if not invited:
        raise Refused(
            "this link was used, or has run out", "ask an admin for another: tocsin users invite NAME"
        )
    name = name if invited == FIRST else invited
    if wrong := passwords.fault(password, name):
        return await _welcome(request, invited, name, wrong)
    kept = await to_thread.run_sync(passwords.kept, password, limiter=site.slow)
    try:
        cookied = await site.read(_begin, site, secret, invited, name, kept, request)
    except Mistaken as error:
        return await _welcome(request, invited, name, str(error))
    response = RedirectResponse("/", 303)
    cookie.give(response, site, cookied)
    return response


def _begin(site: Site, secret: str, invited: str, name: str, kept: str, request: Request) -> str:
    """Use the link up, set the password, sign in. Raises Mistaken, and then the link is as good as before."""
    address = site.address_of(request)
    people = People(site.client, site.keys, Doer(name, f"one-time link from {address}"), site.now())
    if invited == FIRST:
        people.add(name, Grants(Role.ADMIN))
    if accounts.accept(site.client, site.keys, secret) != invited:
        if invited == FIRST:
            accounts.remove_user(site.client, site.keys, name)
        raise Mistaken("this link was used a moment ago")
    people.set_password(name, kept)
    return people.begin_session(name, address, request.headers.get("user-agent", ""))


async def _refused(request: Request, site: Site, error: Refused, name: str, after: str) -> Response:
    found = await _form(request, site, f"{error}; {error.hint}" if error.hint else str(error), name, after)
    found.status_code = error.status
    if isinstance(error, TooMany):
        found.headers["retry-after"] = str(error.retry_after_s)
    return found


async def _form(request: Request, site: Site, wrong: str, name: str, after: str) -> Response:
    nobody = not await site.read(accounts.users, site.client, site.keys)
    oidc = site.settings.oidc
    facts = {
        "wrong": wrong, "nobody": nobody and not oidc, "name": name, "next": inside(after), "oidc": oidc,
    }  # fmt: skip
    return await answer(request, "login.html", facts)


async def _welcome(request: Request, invited: str, name: str, wrong: str = "") -> Response:
    facts = {"first": invited == FIRST, "name": name, "wrong": wrong, "shortest": passwords.SHORTEST}
    return await answer(request, "welcome.html", facts, 422 if wrong else 200)


def inside(path: str) -> str:
    """Where to go on, if it is on this host."""
    parts = urlsplit(path)
    safe = (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and not parts.netloc
        and path.isprintable()
    )
    return path if safe and "\\" not in path else "/"


ROUTES = [
    Route("/oidc/start", guarded(Act.PUBLIC, go), methods=["GET"]),
    Route("/oidc/callback", guarded(Act.PUBLIC, come_back), methods=["GET"]),
    Route("/login", guarded(Act.PUBLIC, show), methods=["GET"]),
    Route("/login", guarded(Act.PUBLIC, enter), methods=["POST"]),
    Route("/logout", guarded(Act.READ, leave), methods=["POST"]),
    Route("/welcome/{secret}", guarded(Act.PUBLIC, welcome), methods=["GET"]),
    Route("/welcome/{secret}", guarded(Act.PUBLIC, begin), methods=["POST"]),
]
