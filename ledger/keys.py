"""Every Redis key, in one place. `p` is the partition; all keys of one partition carry `{p}`.

RQ's own keys (`rq:*`) are the engine's and hold nothing that is not also in the outbox.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """Key names of one partition."""

    partition: int = 0

    def _key(self, *parts: str) -> str:
        return ":".join(("tocsin", f"{{{self.partition}}}", *parts))

    @property
    def all(self) -> str:
        """Pattern that every key of the partition matches, and no other."""
        return self._key("*")

    def restoring(self, key: str) -> str:
        """A key as a restore writes it, until all of them are there and take their names at once."""
        return self._key("restoring", key)

    def log(self, lane: str) -> str:
        """Stream: entries of one lane. Fields: `e` the entry as JSON, `r` the raw body's id (signals only)."""
        return self._key("log", lane)

    @property
    def raw(self) -> str:
        """Stream: raw bodies as received. Fields: `b` body, `h` redacted headers as JSON, `s` source."""
        return self._key("raw")

    def seen(self, source: str, vendor_id: str) -> str:
        """String with expiry: the event id first given to a vendor's event id."""
        return f"tocsin:{{{self.partition}}}:seen:{source}:{vendor_id}"  # a third of `_key`'s time, once an event

    def replayed(self, event: str) -> str:
        """String: log position of a replay, by its id `<id>.r<n>`."""
        return self._key("replayed", event)

    @property
    def cursor(self) -> str:
        """Hash: lane -> id of the last decided entry; `decided_at`, `policy`, `decided` (count)."""
        return self._key("cursor")

    @property
    def batches(self) -> str:
        """Stream: one entry a commit. Fields: `at` decided (ms), `policy`, lane -> id of its last entry, and
        `incidents`: the ids of those with something new, between spaces.
        """
        return self._key("batches")

    @property
    def fence(self) -> str:
        """Counter: incremented at each takeover of the dispatcher's lease; commits watch it."""
        return self._key("fence")

    @property
    def lease(self) -> str:
        """String with expiry: the dispatcher that may commit."""
        return self._key("lease")

    def state(self, table: str) -> str:
        """Hash: key -> record, for tables no incident owns."""
        return self._key("state", table)

    def owned(self, incident: str, table: str) -> str:
        """Hash: key -> record, for alerts, deliveries and runs of one incident."""
        return self._key("incident", incident, table)

    def timeline(self, incident: str) -> str:
        """List: moments of one incident, oldest first."""
        return self._key("incident", incident, "timeline")

    def in_phase(self, phase: str) -> str:
        """Sorted set: incidents that are in a phase, and not over, by their number."""
        return self._key("phase", phase)

    @property
    def timers(self) -> str:
        """Sorted set: timer id by due instant (ms)."""
        return self._key("timers")

    @property
    def outbox(self) -> str:
        """Hash: effect id -> effect, from its commit until its result is folded."""
        return self._key("outbox")

    @property
    def claims(self) -> str:
        """Hash: effect id -> "<attempt> <worker> <ms>" of the last claim."""
        return self._key("claims")

    def verdicts(self, lane: str, hour: int) -> str:
        """Hash: entry id -> verdict, one hash per lane and hour of the entry's id."""
        return self._key("verdicts", lane, str(hour))

    def lock(self, target: str) -> str:
        """Hash with expiry: `run` that may act on the target, `token` its fencing token."""
        return self._key("lock", target)

    def changed(self, target: str) -> str:
        """Hash with expiry: `run` that last had the target's lock, `at` (ms) until when it may have changed it."""
        return self._key("changed", target)

    def pace(self, key: str) -> str:
        """Hash with expiry: whose turn it is where a provider takes only so many a second; fields in pace.lua."""
        return self._key("pace", key)

    @property
    def running(self) -> str:
        """Sorted set: runs that mutate right now, by lock expiry; its size is capped globally."""
        return self._key("running")

    @property
    def dead(self) -> str:
        """Hash: dead letter id -> its record."""
        return self._key("dead")

    @property
    def dead_index(self) -> str:
        """Sorted set: dead letter id by instant (ms)."""
        return self._key("dead", "index")

    @property
    def dead_waiting(self) -> str:
        """Set: dead letters that nobody has retried or dropped yet."""
        return self._key("dead", "waiting")

    @property
    def dead_seen(self) -> str:
        """Hash: dead letter id -> how often the same was given up."""
        return self._key("dead", "seen")

    @property
    def fencing(self) -> str:
        """Counter: the last fencing token given out with a target's lock."""
        return self._key("fencing")

    @property
    def retired(self) -> str:
        """Sorted set: closed incidents by the instant (ms) they closed for good, until the archive has them."""
        return self._key("retired")

    @property
    def sweeping(self) -> str:
        """String with expiry: who moves things to the archive, or keeps them from moving for a backup."""
        return self._key("sweeping")

    @property
    def sandbox(self) -> str:
        """Stream: what would have been sent, had credentials been there."""
        return self._key("sandbox")

    @property
    def policy(self) -> str:
        """Hash: policy version -> its files as JSON; `current` and `good` name versions."""
        return self._key("policy")

    @property
    def metrics(self) -> str:
        """Hash: counters of processes that have no endpoint of their own."""
        return self._key("metrics")

    @property
    def feeds(self) -> str:
        """Hash: schedule -> how well the calendar it follows can be read."""
        return self._key("feeds")

    @property
    def mailboxes(self) -> str:
        """Hash: channel -> how far the mailbox where its mail comes back was read."""
        return self._key("mailboxes")

    @property
    def gaps(self) -> str:
        """Hash: source -> how its vendor was last asked for what we missed, and where that goes on."""
        return self._key("gaps")

    @property
    def gaps_wanted(self) -> str:
        """Hash: source -> since when (ms) an operator wants its vendor asked now."""
        return self._key("gaps", "wanted")

    @property
    def retrieving(self) -> str:
        """String with expiry: the process that asks vendors for the rest of their events."""
        return self._key("gaps", "retrieving")

    def polling(self, source: str) -> str:
        """String with expiry: the process that asks its vendor."""
        return self._key("gaps", "polling", source)

    @property
    def refusals(self) -> str:
        """Hash: `<source> <why>` -> how many requests were refused before anything was kept."""
        return self._key("refusals")

    @property
    def last_arrivals(self) -> str:
        """Hash: source -> when something of it was last kept (ms)."""
        return self._key("arrivals")

    def arrivals(self, hour: int) -> str:
        """Hash, expiring: source -> how many of its events were kept in that hour since the epoch."""
        return self._key("arrivals", str(hour))

    def heard(self, source: str, day: int) -> str:
        """String, expiring: a bit for each five minutes of that day since the epoch in which something of the source
        came; of source "-", in which we were there to hear it.
        """
        return self._key("arrivals", "heard", source, str(day))

    @property
    def quiet(self) -> str:
        """Hash: source -> since when it is silent against its rhythm."""
        return self._key("quiet")

    def refused(self, source: str) -> str:
        """List, capped: redacted examples of what a source's verifier refused."""
        return self._key("refused", source)

    @property
    def kill(self) -> str:
        """String: present while the kill switch is on; read just before each mutating call."""
        return self._key("kill")

    @property
    def pulse(self) -> str:
        """Hash: process name -> ms of its last sign of life."""
        return self._key("pulse")

    @property
    def probes(self) -> str:
        """Hash: probe -> its last look, as JSON."""
        return self._key("probes")

    @property
    def prober(self) -> str:
        """String with expiry: the process that carries the probes out."""
        return self._key("prober")

    @property
    def users(self) -> str:
        """Hash: name -> who may sign in to the console, with what is left of their password."""
        return self._key("users")

    def session(self, digest: str) -> str:
        """String with expiry: who signed in, by the digest of what their browser holds."""
        return self._key("session", digest)

    def sessions(self, user: str) -> str:
        """Set with expiry: digests of a user's sessions, the ones that ran out among them."""
        return self._key("sessions", user)

    @property
    def tokens(self) -> str:
        """Hash: digest of an API token -> what it may do, and for whom."""
        return self._key("tokens")

    def sign_in(self, digest: str) -> str:
        """String with expiry: who was sent to the OpenID Connect provider, by the digest of its `state`."""
        return self._key("sign-in", digest)

    def invitation(self, digest: str) -> str:
        """String with expiry: whom a one-time link lets set a password, by the digest of what is in it."""
        return self._key("invitation", digest)

    def allowance(self, what: str) -> str:
        """Counter with expiry: how often something was tried in this window of time."""
        return self._key("allowance", what)

    @property
    def audit(self) -> str:
        """Stream, capped: what people did that no entry of the log says, like signing in. Field: `e` as JSON."""
        return self._key("audit")

    @property
    def audited(self) -> str:
        """String, JSON: when the auditor of open work last looked (`at`, ms), and its `trouble`, "" for none."""
        return self._key("audited")

    def repeat(self, who: str, key: str) -> str:
        """String with expiry: what was answered to a request that may come again with the same key."""
        return self._key("repeat", who, key)

    @property
    def rehearsals(self) -> str:
        """List, expiring: samples that somebody wants sent, for a receiver to take."""
        return self._key("rehearsals")

    def rehearsed(self, wanted: str) -> str:
        """String with expiry: what came of a sample that was wanted."""
        return self._key("rehearsed", wanted)

    @property
    def jobs(self) -> str:
        """Sorted set, expiring: long work of operators, by the instant (ms) it began."""
        return self._key("jobs")

    def job(self, job: str) -> str:
        """String with expiry: one of them, as far as it has come."""
        return self._key("job", job)

    def job_done(self, job: str) -> str:
        """List, expiring: names of what it has done."""
        return self._key("job", job, "done")

    def job_undone(self, job: str) -> str:
        """String with expiry: present once somebody has taken it back."""
        return self._key("job", job, "undone")
