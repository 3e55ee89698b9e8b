"""The routes: what fires, what is silenced, and silences as they are set, changed and ended."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import orjson
from msgspec import structs
from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from ledger import records
from ledger.log import NewEvent, Request
from ledger.views.firing import Firing, firing
from receiver import callback, operators, refuse, settled
from receiver.alertmanager import posted, query, shown
from receiver.alertmanager.posted import Unfit
from receiver.alertmanager.query import BadQuery, Query
from receiver.redaction import redacted
from receiver.site import Site
from receiver.take import headers_of, keep
from routing.decision import Table
from routing.entry import Lane, SilenceSet, encode_entry
from routing.instant import DAY, iso
from routing.noise import silences
from routing.policy import Policy

SOURCE = "alertmanager_api"
_OPEN = "/api/v2"
_NOBODY = "operator"

Answering = Callable[[WebRequest, str], Awaitable[Response]]


class AlertmanagerApi:
    """All of it needs an operator's token. Raises Refused where there is none, and redis.RedisError."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._began_at = site.now()

    def routes(self) -> list[Route]:
        return [
            self._route("/status", "GET", self.status),
            self._route("/receivers", "GET", self.receivers),
            self._route("/alerts", "GET", self.alerts),
            self._route("/alerts/groups", "GET", self.groups),
            self._route("/silences", "GET", self.silences),
            self._route("/silences", "POST", self.set_silence),
            self._route("/silence/{id}", "GET", self.silence),
            self._route("/silence/{id}", "DELETE", self.end_silence),
        ]

    def _route(self, path: str, method: str, answer: Answering) -> Route:
        async def guarded(request: WebRequest) -> Response:
            name = operators.admit(self._site, headers_of(request.scope))
            try:
                found = await answer(request, name)
            except BadQuery as error:
                found = _json(str(error), 400)
            except Unfit as error:
                found = _json(error.payload, error.status)
            self._site.counts.answers["pages", "", found.status_code] += 1
            return found

        return Route(_OPEN + path, guarded, methods=[method])

    async def status(self, _: WebRequest, __: str) -> Response:
        policy, ours = self._policy(), version("tocsin")
        return _json({
            "cluster": {"status": "disabled", "peers": []},
            "config": {"original": _config(policy)},
            "uptime": iso(self._began_at),
            "versionInfo": {
                "version": ours, "revision": policy.version, "branch": "tocsin", "buildUser": "", "buildDate": "",
                "goVersion": "",
            },
        })  # fmt: skip

    async def receivers(self, request: WebRequest, _: str) -> Response:
        wanted = query.read(request.query_params)
        return _json([{"name": name} for name in sorted(self._policy().escalations) if wanted.told(name)])

    async def alerts(self, request: WebRequest, _: str) -> Response:
        wanted, policy, now = query.read(request.query_params), self._policy(), self._site.now()
        found = await self._firing(wanted, policy, now)
        return _json([shown.alert(each, policy, now) for each in found])

    async def groups(self, request: WebRequest, _: str) -> Response:
        wanted, policy, now = query.read(request.query_params), self._policy(), self._site.now()
        made = shown.groups(await self._firing(wanted, policy, now), policy, now)
        muted = wanted.flag("muted")
        return _json([each for each in made if muted or _any_active(each)])

    async def silences(self, request: WebRequest, _: str) -> Response:
        wanted, now = query.read(request.query_params), self._site.now()
        texts = [str(each) for each in wanted.wanted]
        found = [
            each
            for each in (await self._silences()).values()
            if wanted.flag(shown.state(each, now)) and all(text in _texts(each) for text in texts)
        ]
        return _json([
            shown.silence(each, now) for each in sorted(found, key=lambda one: shown.order(one, now))
        ])  # fmt: skip

    async def silence(self, request: WebRequest, _: str) -> Response:
        known = await self._known(request.path_params["id"])
        return _json(shown.silence(known, self._site.now())) if known else Response(status_code=404)

    async def set_silence(self, request: WebRequest, name: str) -> Response:
        raw, headers = await callback.read(self._site, request)
        wanted = posted.read(raw)
        wanted = replace(wanted, by=wanted.by or name or _NOBODY)
        known = await self._known(wanted.id) if wanted.id else None
        made = posted.entries(known, wanted, self._site.now(), str(uuid.uuid4()))
        client = self._client(request, headers)
        await self._append([structs.replace(each, client=client) for each in made], raw, headers)
        return _json({"silenceID": made[-1].id})

    async def end_silence(self, request: WebRequest, name: str) -> Response:
        known, now = await self._known(request.path_params["id"]), self._site.now()
        if known is None:
            return Response(status_code=404)
        if known.until_at > now:
            headers = headers_of(request.scope)
            entry = silences.ended(known, now, name or _NOBODY, self._client(request, headers))
            await self._append((entry,), b"", headers)
        return Response(status_code=200)

    def _client(self, request: WebRequest, headers: dict[str, str]) -> str:
        """For the audit."""
        address = self._site.sender(request.scope, headers)
        return f"{operators.VARIABLE} from {address or 'nowhere'}"

    def _policy(self) -> Policy:
        if self._site.gates.policy is None:
            raise refuse.no_policy()
        return self._site.gates.policy

    async def _firing(self, wanted: Query, policy: Policy, now: int) -> list[Firing]:
        found = await asyncio.to_thread(firing, self._site.store, policy, now)
        return [each for each in found if _is_wanted(each, wanted, policy)]

    async def _silences(self) -> dict[str, SilenceSet]:
        return await asyncio.to_thread(self._site.store.records, Table.SILENCE, SilenceSet)

    async def _known(self, id_: str) -> SilenceSet | None:
        return await records.read_soon(
            self._site.client, self._site.keys.state(Table.SILENCE), id_, SilenceSet
        )

    async def _append(self, entries: Sequence[SilenceSet], raw: bytes, headers: dict[str, str]) -> None:
        events = tuple(NewEvent(Lane.CONTROL, "", encode_entry(each)) for each in entries)
        kept = await keep(self._site, Request(SOURCE, raw, orjson.dumps(redacted(headers)), events, (), DAY))
        await settled.settle(self._site, kept.accepted[-1])


def _is_wanted(each: Firing, wanted: Query, policy: Policy) -> bool:
    return (
        all(one.matches(each.alert.labels) for one in wanted.wanted)
        and wanted.told(shown.told(policy, each.incident))
        and (wanted.flag("active") or each.suppressed)
        and (wanted.flag("silenced") or not each.silenced_by)
        and (wanted.flag("inhibited") or not each.inhibited_by)
    )


def _any_active(group: shown.Shown) -> bool:
    return any(each["status"]["state"] == "active" for each in group["alerts"])


def _texts(silence: SilenceSet) -> set[str]:
    return {str(each) for each in silences.compiled(silence.matchers)}


def _config(policy: Policy) -> str:
    """Something that reads as a configuration of Alertmanager: who is told at the root, and who else may be."""
    root = policy.route.escalation
    names = [orjson.dumps(name).decode() for name in (root, *sorted(set(policy.escalations) - {root}))]
    listed = "".join(f"  - name: {name}\n" for name in names)
    return f"# Tocsin's own is in config/.\nroute:\n  receiver: {names[0]}\nreceivers:\n{listed}"


def _json(value: Any, status: int = 200) -> Response:
    return Response(
        orjson.dumps(value), status, media_type="application/json", headers={"cache-control": "no-store"}
    )
