"""The three documents of the status page, made of the same board at the same instant."""

import json
from collections.abc import Mapping
from typing import Any

import redis

from ledger import wire
from ledger.keys import Keys
from ledger.views.status_page import feed, html
from ledger.views.status_page.board import Board, board
from routing.decision import Table
from routing.instant import iso
from routing.policy import StatusPage
from routing.public import Public
from routing.record import decode

Documents = dict[str, bytes]
"""File name -> content."""
NAMES = ("index.html", "index.json", "index.rss")


def records(client: redis.Redis, keys: Keys) -> dict[str, Public]:
    """Everything that was said in public and is still kept, by incident. Raises redis.RedisError."""
    return read(wire.call(client, "HGETALL", keys.state(Table.PUBLIC)))


def read(found: Mapping[bytes, bytes]) -> dict[str, Public]:
    return {key.decode(): decode(Public, raw) for key, raw in found.items()}


def documents(page: StatusPage, said: Mapping[str, Public], now: int) -> Documents:
    """As the page is at an instant (ms)."""
    found = board(page, said, now)
    texts = (html.page(found), json.dumps(facts(found), indent=2) + "\n", feed.feed(found))
    return {name: text.encode() for name, text in zip(NAMES, texts, strict=True)}


def facts(found: Board) -> dict[str, Any]:
    """In the shape that others' status pages have."""
    return {
        "page": {"name": found.page.title, "url": found.page.url, "updated_at": iso(found.now)},
        "status": {"indicator": found.indicator, "description": found.sentence},
        "components": [{"name": name, "status": health.value} for name, health in found.components],
        "incidents": [_incident(each) for each in found.open],
        "history": [_incident(each) for each in found.over],
    }


def _incident(public: Public) -> dict[str, Any]:
    return {
        "id": public.id,
        "name": public.title,
        "status": public.last.said.value,
        "components": list(public.names.values()),
        "created_at": iso(public.began_at),
        "resolved_at": iso(public.ended_at) if public.ended_at else None,
        "updates": [
            {"status": word.said.value, "body": word.text, "created_at": iso(word.at)}
            for word in reversed(public.words)
        ],
    }
