"""`tocsin users` and `tocsin tokens`: who may sign in, as what, and how it ends."""

import pytest
from desk import Ask, Run

pytestmark = [pytest.mark.usefixtures("desk")]


def test_a_user_is_added_with_a_link_changed_and_removed(run: Run, ask: Ask) -> None:
    added = run("users", "add", "ada", "--role", "admin", "--as", "root")
    assert "http://127.0.0.1:8081/welcome/" in added.stdout
    run("users", "add", "ben", "--team", "platform", "--contact", "ben")
    ben = ask("users", "list")[1]
    assert (ben["name"], ben["role"], ben["teams"], ben["contact"]) == (
        "ben",
        "responder",
        ["platform"],
        "ben",
    )
    assert (ben["password"], ben["sessions"], ben["created_by"]) == (False, 0, "anna")
    run("users", "set", "ben", "--role", "viewer", "--team", "all")
    assert [ask("users", "list")[1][key] for key in ("role", "teams")] == ["viewer", []]
    assert "/welcome/" in run("users", "invite", "ben").stdout
    run("users", "remove", "ben")
    assert [one["name"] for one in ask("users", "list")] == ["ada"]
    assert ask("users", "audit")[0]["what"] == "removed ben"


def test_roles_are_given_by_team_one_by_one_and_taken_back(run: Run, ask: Ask) -> None:
    run("users", "add", "ben", "--grant", "platform=admin", "--grant", "payments=responder")
    assert ask("users", "list")[0]["grants"] == {
        "all": "viewer",
        "platform": "admin",
        "payments": "responder",
    }
    assert "admin of platform; responder of payments" in run("users", "list").stdout
    assert run("users", "set", "ben", "--grant", "web=viewer", "--grant", "platform=none").stdout == (
        "ben is responder of payments; viewer of web\n"
    )
    assert run("users", "set", "ben", "--grant", "all=responder").stdout == "ben is responder of all teams\n"
    assert ask("users", "audit")[0]["what"] == "made ben responder of all teams"
    for wrong in (
        ("--grant", "payments"),
        ("--grant", "=admin"),
        ("--grant", "web=root"),
        ("--grant", "web=viewer"),
    ):
        assert "Error" in run("users", "set", "ben", *wrong, code=2).output
    assert "not both" in run("users", "set", "ben", "--grant", "web=admin", "--role", "admin", code=2).output
    run("tokens", "create", "ci", "--scope", "read", "--grant", "web=responder")
    assert ask("tokens", "list")[0]["grants"] == {"all": "viewer", "web": "responder"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("users", "add", "Ada Lovelace"), "no name"), (("users", "add", "ada"), "already"),
        (("users", "set", "nobody", "--role", "viewer"), "no user 'nobody'"),
        (("users", "set", "ada", "--role", "viewer"), "last admin"), (("users", "remove", "ada"), "last admin"),
        (("users", "add", "ben", "--contact", "nope"), "no contact 'nope'"), (("tokens", "revoke", "x"), "no token 'x'"),
        (("tokens", "create", "ci", "--scope", "read", "--user", "nobody"), "no user 'nobody'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_way_out(run: Run, command: tuple[str, ...], said: str) -> None:
    run("users", "add", "ada", "--role", "admin")
    refused = run(*command, code=2 if "nope" in command else 1)
    assert said in refused.output + str(refused.exception)


def test_a_user_is_disabled_and_let_in_again_and_joined_to_the_provider(run: Run, ask: Ask) -> None:
    run("users", "add", "ada", "--role", "admin")
    run("users", "add", "ben")
    run("users", "disable", "ben")
    assert "disabled" in run("users", "list").stdout
    assert ask("users", "list")[1]["disabled"] is True
    run("users", "enable", "ben")
    subject = "https://accounts.example.com u-7"
    run("users", "set", "ben", "--subject", subject)
    ben = ask("users", "list")[1]
    assert (ben["disabled"], ben["subject"]) == (False, subject)
    assert "ben is" in str(run("users", "set", "ada", "--subject", subject, code=1).exception)
    assert "last admin" in str(run("users", "disable", "ada", code=1).exception)


def test_a_token_is_shown_once_listed_without_its_secret_and_revoked(run: Run, ask: Ask) -> None:
    secret = run("tokens", "create", "ci", "--scope", "incidents", "--for", "30d").stdout.strip()
    assert secret.startswith("tocsin_")
    (token,) = ask("tokens", "list")
    assert (token["name"], token["scopes"], token["role"], token["expired"]) == (
        "ci",
        ["incidents", "read"],
        "responder",
        False,
    )
    assert secret not in run("tokens", "list").stdout
    run("tokens", "revoke", token["id"])
    assert ask("tokens", "list") == []
