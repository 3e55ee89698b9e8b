"""Everything a route of the console may do, the role it takes, and the scope a token needs for it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Ordered: who may do more may do all that is less."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"

    def allows(self, other: "Role") -> bool:
        """Whether this role may do what takes the other."""
        return _RANK[self] >= _RANK[other]


_RANK: Final = {Role.VIEWER: 0, Role.RESPONDER: 1, Role.ADMIN: 2}


class Scope(StrEnum):
    """What an API token is for. Its owner's role bounds it all the same."""

    READ = "read"
    INCIDENTS = "incidents"
    """Act on incidents, open them, silence what disturbs."""
    DEAD = "dead"
    """Mend, replay and drop dead letters."""
    ONCALL = "oncall"
    """Overrides and swaps; tests of contacts."""
    RUNBOOKS = "runbooks"
    """Start, undo, approve and stop repairs."""
    SOURCES = "sources"
    """Pause sources, send samples."""
    ADMIN = "admin"
    """Users and tokens, the audit, backups."""


class Act(StrEnum):
    """One name for each thing a route may do. Every route of the console declares its own."""

    PUBLIC = "public"
    """Nobody need be known: signing in, liveness, style sheets."""
    READ = "read"
    ACK = "ack"
    RESOLVE = "resolve"
    ESCALATE = "escalate"
    REASSIGN = "reassign"
    SNOOZE = "snooze"
    MERGE = "merge"
    NOTE = "note"
    STATUS = "status"
    """Say how it stands, to all who were paged."""
    UPDATE = "update"
    """Grade an incident anew."""
    DONE = "done"
    """Mark a follow-up as done."""
    ROLE = "role"
    """Hand a role of the process over."""
    OPEN = "open"
    REVIEW = "review"
    """Add to the report on an incident."""
    PUBLISH = "publish"
    """Say in public how it stands."""
    ALERT = "alert"
    """Say by hand that something fires, or ceased to."""
    SILENCE = "silence"
    APPROVE = "approve"
    """Answer what waits for an approval, yes or no."""
    RUN_RUNBOOK = "run-runbook"
    UNDO_RUN = "undo-run"
    REHEARSE = "rehearse"
    """Dry runs, tests of routes, simulations: nothing changes."""
    KILL_SWITCH = "kill-switch"
    FREEZE = "freeze"
    EDIT_DEAD = "edit-dead"
    REPLAY_DEAD = "replay-dead"
    DROP_DEAD = "drop-dead"
    REPLAY = "replay"
    """Bring a decided event in again."""
    OVERRIDE = "override"
    TRY_CONTACT = "try-contact"
    ANSWER = "answer"
    """Answer in the sandbox as the person would whom it was for."""
    PAUSE_SOURCE = "pause-source"
    SEND_SAMPLE = "send-sample"
    ASK_VENDOR = "ask-vendor"
    """Have a vendor asked for what we missed."""
    OWN_ACCOUNT = "own-account"
    """One's own password, sessions and tokens."""
    GRANT = "grant"
    """Give somebody a role for a team, and see who has which."""
    ADMIN_USERS = "admin-users"
    """Let people in, keep them out, and say what they may for all teams."""
    ADMIN_TOKENS = "admin-tokens"
    AUDIT = "audit"
    BACKUP = "backup"
    """Take everything away in one file."""

    @property
    def role(self) -> Role | None:
        """What it takes; None where nobody need be known."""
        return _ROLES.get(self, Role.RESPONDER)

    @property
    def scope(self) -> Scope:
        """What a token needs for it."""
        return _SCOPES.get(self, Scope.INCIDENTS)

    @property
    def of_all(self) -> bool:
        """Whether it concerns more than one team, so that who belongs to some teams only may not."""
        return self in _OF_ALL


_ROLES: Final[Mapping[Act, Role | None]] = {
    Act.PUBLIC: None,
    Act.READ: Role.VIEWER,
    Act.REHEARSE: Role.VIEWER,
    Act.OWN_ACCOUNT: Role.VIEWER,
    Act.GRANT: Role.ADMIN,
    Act.ADMIN_USERS: Role.ADMIN,
    Act.ADMIN_TOKENS: Role.ADMIN,
    Act.AUDIT: Role.ADMIN,
    Act.BACKUP: Role.ADMIN,
}

_SCOPES: Final[Mapping[Act, Scope]] = {
    **dict.fromkeys((Act.PUBLIC, Act.READ, Act.REHEARSE), Scope.READ),
    **dict.fromkeys((Act.EDIT_DEAD, Act.REPLAY_DEAD, Act.DROP_DEAD, Act.REPLAY), Scope.DEAD),
    **dict.fromkeys((Act.OVERRIDE, Act.TRY_CONTACT), Scope.ONCALL),
    **dict.fromkeys(
        (Act.APPROVE, Act.RUN_RUNBOOK, Act.UNDO_RUN, Act.KILL_SWITCH, Act.FREEZE), Scope.RUNBOOKS
    ),
    **dict.fromkeys((Act.PAUSE_SOURCE, Act.SEND_SAMPLE, Act.ASK_VENDOR), Scope.SOURCES),
    **dict.fromkeys(
        (Act.OWN_ACCOUNT, Act.GRANT, Act.ADMIN_USERS, Act.ADMIN_TOKENS, Act.AUDIT, Act.BACKUP), Scope.ADMIN
    ),
}

_OF_ALL: Final = frozenset({
    Act.KILL_SWITCH, Act.FREEZE, Act.EDIT_DEAD, Act.REPLAY_DEAD, Act.DROP_DEAD, Act.REPLAY, Act.PAUSE_SOURCE,
    Act.SEND_SAMPLE, Act.ASK_VENDOR, Act.ADMIN_USERS, Act.ADMIN_TOKENS, Act.AUDIT, Act.BACKUP,
})  # fmt: skip
