"""Dead letters: what was given up, by what and since when; and bringing many of them through, or dropping them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

import click
from starlette.routing import Route

from console.doing import dead as doing
from console.doing.dead import Selection
from console.doing.entries import Who
from console.serving.jobs import Seen, Step
from console.serving.navigation import Nav
from console.serving.view import Facts, NotFound, View, act, page
from console.trust.acts import Act
from ledger import dead
from ledger.dead import DeadLetter, Fate, Kind
from routing.errors import TocsinError
from routing.instant import DAY, HOUR

NAV = Nav("Dead letters", "/dead", 30)
LIMIT = 50
SEARCHED = 1_000
"""So many are read for one page; where few match, it says where it ended."""
GROUPED = 300
"""So many of the newest are grouped by what is wrong with them."""
BATCH = 100
PREVIEWED = 10
"""Letters of a preview that are read as they would be."""
_FILTERS = ("kind", "source", "text", "status", "since")
_SINCE = {"1h": HOUR, "1d": DAY, "7d": 7 * DAY}
_WORDS = {"retry": "Replay", "drop": "Drop", "restore": "Restore"}
_PAST = {"retry": "Replayed", "drop": "Dropped", "restore": "Restored"}
LATELY = 5
"""Of what many were done with, so much is told where letters are listed."""


def ask(view: View) -> Facts:
    asked = _asked(view)
    client, keys = view.site.client, view.site.keys
    after = view.query.get("after", "")
    cursor = dead.place(client, keys, after) if after else ""
    since = view.now - _SINCE[asked["since"]] if asked["since"] in _SINCE else 0
    found = dead.listing(
        client, keys, cursor=cursor, limit=LIMIT, kind=asked["kind"], source=asked["source"], text=asked["text"],
        status=asked["status"] or Fate.WAITING, since=since, most=SEARCHED,
    )  # fmt: skip
    query = {name: value for name, value in asked.items() if value}
    return {
        "asked": asked,
        "query": urlencode(query),
        "letters": found.letters,
        "waiting": dead.waiting(client, keys),
        "groups": _groups(view) if not after and not query else [],
        "older": f"/dead?{urlencode({**query, 'after': found.mark})}" if found.next else "",
        "kinds": [kind.value for kind in Kind],
        "fates": [fate.value for fate in Fate],
        "sinces": list(_SINCE),
        "sources": sorted(view.context.policy.sources),
        "can": view.actor.may(Act.REPLAY_DEAD),
        "lately": [(each, _PAST.get(each.job.what, each.job.what)) for each in view.site.jobs.latest(LATELY)]
        if not after
        else [],
    }


def _asked(view: View) -> dict[str, str]:
    return {name: (view.sent(name) or view.query.get(name, ""))[:200] for name in _FILTERS}


def _groups(view: View) -> list[Facts]:
    """What is wrong with the newest, the most frequent first."""
    newest = dead.listing(view.site.client, view.site.keys, limit=GROUPED, most=GROUPED).letters
    counted = Counter((each.kind, each.source, each.why) for each in newest)
    oldest = {(each.kind, each.source, each.why): each.at for each in newest}
    return [
        {"kind": kind, "source": source, "why": why, "count": count, "since": oldest[kind, source, why],
         "query": urlencode({"kind": kind, "source": source, "text": why[:120]})}
        for (kind, source, why), count in counted.most_common(8)
        if count > 1
    ]  # fmt: skip


# ── many at once ─────────────────────────────────────────────────────────────────────────────────────────


def preview(view: View) -> Facts:
    """What replaying or dropping what was chosen would do, before anything is done."""
    doing_what, ids = _what(view), _ids(view)
    asked, which = _asked(view), _selection(view)
    letters, more = doing.chosen(view.context, which, BATCH)
    if not letters:
        raise click.ClickException("nothing was chosen, or nothing matches any more")
    total = len(ids) if ids else dead.waiting(view.site.client, view.site.keys)
    return {
        "do": doing_what, "verb": _WORDS[doing_what], "ids": ids, "asked": asked,
        "letters": [(each, _effect(view, each, doing_what)) for each in letters[:PREVIEWED]],
        "count": len(letters), "more": bool(more), "waiting": total,
        "can": view.actor.may(_ACTS[doing_what]),
    }  # fmt: skip


def _effect(view: View, letter: DeadLetter, doing_what: str) -> tuple[str, bool]:
    """In words, and whether it would go well."""
    if doing_what == "drop":
        return "would be given up; it stays readable, and can be restored", True
    if letter.kind in {Kind.UNDELIVERED, Kind.UNREMEDIATED}:
        return f"{letter.subject or 'its work'} would be done again", True
    try:
        return f"reads as {doing.reads_as(view.context, letter)}", True
    except (TocsinError, click.ClickException) as error:
        return f"would be kept: {error}", False


def many(view: View) -> str:
    """Begin what was previewed; the page of the job shows how it goes."""
    doing_what, ids = _what(view), _ids(view)
    view.need(_ACTS[doing_what])
    which = _selection(view)
    total = len(ids) or dead.waiting(view.site.client, view.site.keys)
    steps = _retried if doing_what == "retry" else _dropped
    job = view.site.jobs.begin(doing_what, view.actor.name, total, lambda job: steps(view, which, job))
    return f"/dead/jobs/{job.id}"


def _retried(view: View, which: Selection, job: str) -> Iterator[Step]:  # noqa: ARG001  # each is noted once it is done
    for letters in _pages(view, which):
        for each in doing.retry(view.context, view.who, letters):
            yield Step(each.letter.id, each.error)


def _dropped(view: View, which: Selection, job: str) -> Iterator[Step]:
    """Each is noted as it is dropped: what nobody noted could not be undone."""
    for letters in _pages(view, which):
        for each in doing.drop(view.context, view.who, letters, job):
            yield Step(each.letter.id, each.error, noted=True)


def _pages(view: View, which: Selection) -> Iterator[list[DeadLetter]]:
    while True:
        letters, mark = doing.chosen(view.context, which, BATCH)
        yield letters
        if not mark:
            return
        which = Selection((), which.kind, which.source, which.text, mark)


def job(view: View) -> Facts:
    found = _job(view)
    whose = view.actor.may(_ACTS.get(found.job.what, Act.DROP_DEAD))
    undo = (
        found.job.what == "drop"
        and bool(found.job.ended_at)
        and not found.undone
        and bool(found.done)
        and whose
    )
    return {
        "seen": found, "job": found.job, "verb": _WORDS[found.job.what], "past": _PAST[found.job.what],
        "can_undo": undo, "again": not found.job.ended_at,
    }  # fmt: skip


def undo(view: View) -> str:
    """What a job has dropped waits again."""
    found = _job(view)
    ids = view.site.jobs.pieces(found.job.id)
    begun = None
    if found.job.what == "drop" and found.job.ended_at:
        begun = view.site.jobs.undo(
            found, "restore", view.actor.name, lambda _: _restored(view, ids, view.who)
        )
    if begun is None:
        raise click.ClickException("there is nothing to undo here")
    return f"/dead/jobs/{begun.id}"


def _restored(view: View, ids: Iterable[str], who: Who) -> Iterator[Step]:
    """What somebody has restored since, and perhaps brought through, is left as it is."""
    for each in ids:
        try:
            if doing.one(view.context, each).status is Fate.DROPPED:
                doing.restore(view.context, who, each)
        except (TocsinError, click.ClickException) as error:
            yield Step(each, str(error))
        else:
            yield Step(each)


def _job(view: View) -> Seen:
    found = view.site.jobs.get(view.path["job"][:40])
    if found is None or found.job.what not in _WORDS:
        raise NotFound("no such job; each is kept for a day, and what is left waits as before")
    return found


def _what(view: View) -> str:
    found = view.sent("do") or view.query.get("do", "")
    if found not in _ACTS:
        raise click.UsageError("say what to do: retry or drop")
    return found


def _ids(view: View) -> list[str]:
    """Those that were ticked, or none where all that match are meant."""
    if view.sent("all") or view.query.get("all"):
        return []
    given = [each for each in view.form.getlist("id") if isinstance(each, str)]
    found = given or [each for each in view.query.get("ids", "").split(",") if each]
    if not found:
        raise click.UsageError("tick some letters first, or choose all that match")
    return found[:LIMIT]


def _selection(view: View) -> Selection:
    asked = _asked(view)
    ids = _ids(view)
    return Selection(ids, asked["kind"], asked["source"], asked["text"])


def chosen(view: View) -> str:
    """From the ticks of a listing to the preview of what they lead to."""
    query = {"do": _what(view), **{name: value for name, value in _asked(view).items() if value}}
    ids = _ids(view)
    return "/dead/preview?" + urlencode({**query, **({"ids": ",".join(ids)} if ids else {"all": "1"})})


_ACTS = {"retry": Act.REPLAY_DEAD, "drop": Act.DROP_DEAD}

ROUTES = [
    Route("/dead", page(Act.READ, "dead.html", ask, "dead", shared=True)),
    Route("/dead/chosen", act(Act.REPLAY_DEAD, chosen), methods=["POST"]),
    Route("/dead/preview", page(Act.READ, "dead_preview.html", preview)),
    Route("/dead/many", act(Act.REPLAY_DEAD, many), methods=["POST"]),
    Route("/dead/jobs/{job}", page(Act.READ, "dead_job.html", job)),
    Route("/dead/jobs/{job}/undo", act(Act.DROP_DEAD, undo), methods=["POST"]),
]
