"""`tocsin tokens`: what programs show to the console's API."""

from collections.abc import Mapping, Sequence

import click

from console.acting import acting
from console.context import connected
from console.doing import people as doing
from console.doing.people import Wish
from console.granting import granting
from console.options import Duration, json_option
from console.output import as_json, clock, say, table
from console.trust.acts import Scope
from console.trust.people import Doer, People
from console.trust.shown import Row, standing, token_row
from ledger import accounts
from ledger.clock import now_ms
from routing.instant import parse_iso


@click.group()
def tokens() -> None:
    """Make tokens for programs, list and revoke them."""


@tokens.command("list")
@json_option
def list_(json: bool) -> None:
    """List tokens, newest first; never their secrets, which are kept nowhere."""
    context = connected()
    now = now_ms()
    tell([token_row(one, now) for one in accounts.tokens(context.client, context.keys)], json=json)


@tokens.command()
@click.argument("NAME")
@click.option(
    "--scope", "scopes", type=click.Choice([scope.value for scope in Scope]), multiple=True, required=True
)
@granting
@click.option("--user", default="", help="Whose it is: it can do no more than they may, and goes with them.")
@click.option("--for", "length", type=Duration(), default="90d", show_default=True, help="How long it lives.")
@click.option("--per-minute", default=600, show_default=True, type=click.IntRange(1, 100_000))
@acting
def create(
    name: str, scopes: tuple[str, ...], role: str | None, teams: tuple[str, ...], grants: Mapping[str, str], user: str,
    length: int, per_minute: int, by: str,
) -> None:  # fmt: skip
    """Make a token, a responder of all teams unless you say otherwise, and print it, once."""
    context, now = connected(), now_ms()
    people, wish = People(context.client, context.keys, Doer(by), now), Wish(role, teams or None, grants)
    named = {Scope.READ, *scopes}
    _, secret = doing.make_token(
        context, people, name, named, wish, now + length, user=user, per_minute=per_minute
    )
    say(secret)


@tokens.command()
@click.argument("ID")
@acting
def revoke(id: str, by: str) -> None:  # noqa: A002  # the name shown in the usage
    """End a token at once."""
    context = connected()
    People(context.client, context.keys, Doer(by), now_ms()).end_token(id)
    say(f"{id} is revoked")


def tell(rows: Sequence[Row], *, json: bool) -> None:
    """Said alike beside the store and over a console."""
    if json:
        as_json(rows)
        return
    table(
        ("ID", "NAME", "OF", "MAY", "SCOPES", "UNTIL"),
        [
            (row["id"], row["name"], row["user"] or "itself", standing(row), " ".join(row["scopes"]),
             "expired" if row["expired"] else clock(parse_iso(row["expires_at"])))
            for row in rows
        ],
        empty="No token.",
    )  # fmt: skip
