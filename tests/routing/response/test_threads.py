"""Threads: what is said to one place about one incident continues the first message, and follows the incident."""

from dataclasses import replace

import msgspec
import shipped
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from noisy import CONDITIONS, report
from small_policy import START, firing, resolved
from telling import deliveries, do, only, simulate
from threaded import CHATTING, NOISY, Chat, chats, in_chat, openers

from routing.audit import audit
from routing.decision import Put, Table
from routing.delivery import Delivery, Held, Progress, Purpose
from routing.effect import Deliver
from routing.entry import Answer, Claimed, Command, Delivered, Graded, Opened, Outcome, Receipt, Verb
from routing.incident import Incident, Phase
from routing.instant import DAY, HOUR, MINUTE, SECOND
from routing.policy import Limit, Policy
from routing.record import decode, encode
from routing.simulation import Simulation

ANNA = "UANNA"


def paged_in_chat(chat: Chat | None = None) -> Simulation:
    sim = simulate(CHATTING, chat or Chat())
    sim.feed(firing("site-down", at=START))
    sim.pass_time(START + MINUTE)
    return sim


def heard(sim: Simulation, address: str = ANNA) -> list[str]:
    return [line for _, _, line in in_chat(sim, address)]


def test_later_messages_continue_the_first_that_was_accepted() -> None:
    sim = paged_in_chat()
    do(sim, Verb.ACK)
    sim.pass_time(sim.now + MINUTE)
    do(sim, Verb.RESOLVE)
    sim.pass_time(sim.now + MINUTE)
    (first, opens, _), *later = in_chat(sim, ANNA)
    assert (opens, len(later)) == ("", 2)
    assert {thread for _, thread, _ in later} == {f"P-{first}-1"}
    (thread,) = [each for each in only(sim).threads if each.address == ANNA]
    assert (thread.contact, thread.channel, thread.id) == ("anna", "chat", f"P-{first}-1")


def test_channels_without_threads_remember_nothing() -> None:
    sim = paged_in_chat()
    assert {each.channel for each in only(sim).threads} == {"chat"}
    sent = [each for _, each in sim.effects if isinstance(each, Deliver) and each.channel != "chat"]
    assert sent
    assert not any(each.thread for each in sent)


def test_an_incident_with_threads_is_read_back_as_it_was_kept() -> None:
    incident = only(paged_in_chat())
    assert decode(Incident, encode(incident)) == incident
    assert b'"threads"' not in encode(msgspec.structs.replace(incident, threads=[]))


def test_what_leaves_before_the_first_is_accepted_waits_for_it() -> None:
    sim = simulate(CHATTING, Chat([(Outcome.OK, 10 * SECOND)]))
    sim.feed(firing("site-down", at=START))
    sim.pass_time(START + SECOND)
    do(sim, Verb.NOTE, text="looking")
    do(sim, Verb.ACK)
    waits = [each for each in deliveries(sim) if each.held == Held.THREAD]
    assert [(each.address, each.purpose) for each in waits] == [(ANNA, Purpose.UPDATE)]
    assert audit(sim.state, sim.now) == []
    sim.pass_time(START + MINUTE)
    (first, _, _), (_, thread, line) = in_chat(sim, ANNA)
    assert thread == f"P-{first}-1"
    assert line == "anna acknowledged site-down"


def test_when_the_first_fails_for_good_the_next_opens_the_thread_and_the_others_wait_for_that() -> None:
    sim = simulate(CHATTING, Chat([(Outcome.PERMANENT, 10 * SECOND), (Outcome.OK, 10 * SECOND)]))
    sim.feed(firing("site-down", at=START))
    sim.pass_time(START + SECOND)
    do(sim, Verb.ACK)
    do(sim, Verb.RESOLVE)
    sim.pass_time(START + MINUTE)
    threads = [(thread, line) for _, thread, line in in_chat(sim, ANNA)]
    second = in_chat(sim, ANNA)[1][0]
    assert threads[1] == ("", "anna acknowledged site-down")
    assert threads[2][0] == f"P-{second}-1"


def test_a_place_that_could_not_be_told_hears_the_next_news() -> None:
    """The chat was down; what is said next opens the thread there."""
    sim = simulate(CHATTING, Chat([(Outcome.PERMANENT, 0)]))
    sim.feed(Opened(at=START, title="odd", severity=2, by="anna"))
    sim.pass_time(START + SECOND)
    failed, *_ = [each for each in deliveries(sim) if each.progress is Progress.FAILED]
    do(sim, Verb.ACK, by="bob")
    assert in_chat(sim, failed.address)[-1][1:] == ("", "bob acknowledged odd")
    sim.pass_time(sim.now + SECOND)
    do(sim, Verb.RESOLVE, by="bob")
    assert in_chat(sim, failed.address)[-1][1] == f"P-{in_chat(sim, failed.address)[-2][0]}-1"


def test_a_page_waits_for_no_update_that_nobody_has_taken_up() -> None:
    """The room is informed first, and its message lies there; a page to it leaves all the same."""
    chat = Chat()
    chat.asleep = {"chat"}
    sim = simulate(CHATTING, chat)
    sim.feed(Opened(at=START, title="odd", severity=2, by="anna"))
    do(sim, Verb.STATUS, text="looking")
    told = in_chat(sim)
    assert [line for _, _, line in told] == ["Status of odd: looking (anna)"]
    do(sim, Verb.REASSIGN, to="contact:room")
    first, page = in_chat(sim)
    assert page[1] == ""
    update = next(each for each in deliveries(sim) if each.id == first[0])
    assert (update.held, update.progress) == (Held.THREAD, Progress.PENDING)
    assert audit(sim.state, sim.now) == []
    sim.feed(Claimed(at=sim.now, effect=page[0], attempt=1, timeout_ms=1000))
    sim.feed(Delivered(at=sim.now, delivery=page[0], attempt=1, outcome=Outcome.OK, provider_id="P"))
    assert in_chat(sim)[2][:2] == (first[0], "P")


def test_what_waits_looks_for_itself_when_nobody_tells_it() -> None:
    """The button was pressed, and the worker that sent the message died before it could say its id."""
    chat = Chat([(None, 0)])
    sim = simulate(CHATTING, chat)
    sim.feed(firing("site-down", at=START))
    sim.pass_time(START + SECOND)
    (first, _, _) = in_chat(sim, ANNA)[0]
    sim.feed(Answer(at=sim.now, channel="slack", text="ack", delivery=first))
    assert len(in_chat(sim, ANNA)) == 1
    sim.pass_time(sim.now + MINUTE)
    assert heard(sim)[1:] == ["anna acknowledged site-down"]


def test_two_ids_for_the_first_message_make_one_thread() -> None:
    """Its worker fell silent and it was sent again; then the first answer came after all."""
    sim = simulate(CHATTING, Chat([(None, 0), (Outcome.OK, 0)]))
    sim.feed(firing("site-down", at=START))
    sim.pass_time(START + 20 * SECOND)
    (first, _, _) = in_chat(sim, ANNA)[0]
    sim.feed(Delivered(at=sim.now, delivery=first, attempt=1, outcome=Outcome.OK, provider_id="late"))
    do(sim, Verb.ACK)
    assert in_chat(sim, ANNA)[-1][1] == f"P-{first}-2"


def test_a_channel_may_say_that_the_thread_goes_on_elsewhere() -> None:
    sim = paged_in_chat()
    (first, _, _) = in_chat(sim, ANNA)[0]
    do(sim, Verb.ACK)
    told = in_chat(sim, ANNA)[-1][0]
    sim.feed(
        Delivered(
            at=sim.now, delivery=told, attempt=1, outcome=Outcome.OK, provider_id="new.2", thread="new.1"
        )
    )
    do(sim, Verb.RESOLVE)
    assert first != told
    assert in_chat(sim, ANNA)[-1][1] == "new.1"


def test_the_sandbox_has_threads_and_gives_way_to_the_provider() -> None:
    sim = simulate(CHATTING, Chat([(None, 0)]))
    sim.feed(firing("site-down", at=START))
    (first, _, _) = in_chat(sim, ANNA)[0]
    sent = Delivered(
        at=sim.now, delivery=first, attempt=1, outcome=Outcome.OK, provider_id="sandbox 1", sandbox=True
    )
    sim.feed(sent)
    do(sim, Verb.ACK)
    told, thread, _ = in_chat(sim, ANNA)[-1]
    assert thread == "sandbox 1"
    sim.feed(Delivered(at=sim.now, delivery=told, attempt=1, outcome=Outcome.OK, provider_id="real"))
    do(sim, Verb.RESOLVE)
    assert in_chat(sim, ANNA)[-1][1] == "real"


def test_a_place_that_was_told_in_the_chat_hears_how_it_goes_on_though_it_was_not_paged() -> None:
    """The room hears of a status update, and from then on of all that happens."""
    sim = paged_in_chat()
    do(sim, Verb.STATUS, text="looking")
    sim.pass_time(sim.now + MINUTE)
    do(sim, Verb.ACK)
    sim.pass_time(sim.now + HOUR)
    do(sim, Verb.ESCALATE)
    sim.pass_time(sim.now + MINUTE)
    sim.feed(resolved("site-down", at=sim.now))
    sim.pass_time(sim.now + MINUTE)
    sim.feed(firing("site-down", at=sim.now))
    sim.pass_time(sim.now + MINUTE)
    sim.feed(Graded(at=sim.now, incident="INC-1", severity=2, by="bob"))
    sim.pass_time(sim.now + MINUTE)
    assert heard(sim, "#incident-{date}") == [
        "Status of site-down: looking (anna)",
        "anna has it: site-down",
        "Nobody has it any more: site-down",
        "Escalated by anna: site-down",
        "Resolved: site-down",
        "Reopened: site-down",
        "Lowered to SEV-2: site-down",
    ]


def test_a_room_hears_that_nobody_has_it_once_somebody_else_is_asked() -> None:
    levels = {key: replace(level, ack_expires_ms=20 * MINUTE) for key, level in CHATTING.levels.items()}
    sim = simulate(replace(CHATTING, levels=levels), Chat())
    sim.feed(firing("site-down", at=START))
    do(sim, Verb.STATUS, text="looking")
    for _ in range(2):
        sim.pass_time(sim.now + MINUTE)
        do(sim, Verb.ACK)
        sim.pass_time(sim.now + 20 * MINUTE)
    assert only(sim).asked_again
    room = "#incident-{date}"
    assert heard(sim, room) == ["Status of site-down: looking (anna)", "anna has it: site-down"]
    sim.pass_time(sim.now + 10 * MINUTE)
    assert heard(sim, room)[2:] == ["Nobody has it any more: site-down"]


def test_nobody_is_told_twice_in_one_entry() -> None:
    sim = paged_in_chat()
    for verb in (Verb.ACK, Verb.STATUS, Verb.RESOLVE):
        do(sim, verb, text="here")
        sim.pass_time(sim.now + MINUTE)
    for _, decision in sim.decisions:
        places = [
            (each.address, each.id)
            for each in decision.effects
            if isinstance(each, Deliver) and each.channel == "chat"
        ]
        assert len({address for address, _ in places}) == len(places)


def test_whoever_is_paged_in_the_chat_and_told_by_mail_sees_the_chat_follow_too() -> None:
    people = {
        **CHATTING.contacts,
        "anna": replace(CHATTING.contacts["anna"], quiet=CHATTING.contacts["anna"].quiet[-1:]),
    }
    sim = simulate(replace(CHATTING, contacts=people), Chat())
    sim.feed(firing("site-down", at=START))
    sim.pass_time(START + SECOND)
    do(sim, Verb.ACK, by="bob")
    assert heard(sim)[1:] == ["bob has it: site-down"]


def test_who_is_configured_no_more_still_sees_its_thread_follow() -> None:
    sim = paged_in_chat()
    sim.policy = replace(
        CHATTING, contacts={name: each for name, each in CHATTING.contacts.items() if name != "anna"}
    )
    do(sim, Verb.ACK, by="bob")
    assert heard(sim)[-1] == "bob acknowledged site-down"


def test_a_message_for_several_incidents_belongs_to_the_thread_of_none() -> None:
    limited = replace(CHATTING, limits={"message": (Limit(1, 10 * MINUTE),)})
    limited = replace(limited, route=replace(limited.route, group_by=("kind",)))
    sim = simulate(limited, Chat())
    for kind in ("broken", "odd", "slow"):
        sim.feed(firing(kind, at=START, key=kind))
    sim.pass_time(START + 15 * MINUTE)
    bundle = next(each for each in deliveries(sim) if each.listed)
    assert [(each.thread, each.incident) for each in chats(sim) if each.id == bundle.id] == [
        ("", bundle.incident)
    ]
    incident = next(each for each in sim.incidents() if each.id == bundle.incident)
    assert bundle.id not in [each.opener for each in incident.threads]


def test_rooms_of_two_incidents_are_not_bundled() -> None:
    """A room by pattern is one for each incident: news of one says nothing to those of another."""
    limited = replace(CHATTING, limits={"message": (Limit(1, 10 * MINUTE),)})
    limited = replace(limited, route=replace(limited.route, group_by=("kind",)))
    sim = simulate(limited, Chat())
    for number, kind in enumerate(("broken", "odd"), 1):
        sim.feed(firing(kind, at=START, key=kind))
        for text in ("looking", "found"):
            do(sim, Verb.STATUS, f"INC-{number}", text=text)
    sim.pass_time(START + HOUR)
    rooms = [each for each in deliveries(sim) if "{" in each.address]
    assert {each.incident for each in rooms} == {"INC-1", "INC-2"}
    assert not any(each.listed for each in rooms)


def test_merging_says_where_it_goes_on_and_the_end_is_told_to_that() -> None:
    sim = paged_in_chat()
    sim.feed(Opened(at=sim.now, title="the same", severity=0, by="bob"))
    sim.pass_time(sim.now + MINUTE)
    do(sim, Verb.MERGE, to="INC-2")
    assert heard(sim)[-1].startswith("site-down goes on as INC-2")


def paged_by_text_and_mail(policy: Policy | None = None) -> Simulation:
    """With the shipped channels, where news goes by text."""
    sim = simulate(policy or shipped.policy(), Chat())
    sim.feed(Opened(at=START, title="odd", severity=2, by="carol"))
    sim.pass_time(START + MINUTE)
    return sim


def told(sim: Simulation, *channels: str) -> list[tuple[str, str, str]]:
    """Contact, channel and first line of what was told over these channels and rings nobody."""
    return [
        (each.contact, each.channel, each.message.body.split("\n")[0])
        for _, each in sim.effects
        if isinstance(each, Deliver) and each.channel in channels and each.purpose is Purpose.UPDATE
    ]


def test_whoever_was_paged_by_text_and_mail_hears_who_has_it_once() -> None:
    sim = paged_by_text_and_mail()
    paged = {each.contact for each in deliveries(sim) if each.purpose is Purpose.PAGE}
    do(sim, Verb.ACK, by="carol")
    heard = [contact for contact, _, _ in told(sim, "sms", "mail")]
    assert sorted(heard) == sorted(paged)
    assert {line for _, _, line in told(sim, "sms", "mail")} == {"carol acknowledged odd"}


def test_no_conversation_of_mails_is_left_with_an_open_page() -> None:
    sim = paged_by_text_and_mail()
    paged = {
        each.contact for each in deliveries(sim) if (each.channel, each.purpose) == ("mail", Purpose.PAGE)
    }
    do(sim, Verb.ACK, by="carol")
    sim.pass_time(sim.now + MINUTE)
    do(sim, Verb.RESOLVE, by="carol")
    assert paged
    assert paged <= {contact for contact, _, line in told(sim, "mail") if line == "Resolved by carol: odd"}


def test_who_was_paged_by_mail_and_hears_it_nowhere_else_reads_who_has_it_in_a_mail() -> None:
    """They were taken out of the configuration's texts after the page: what is left is the mail."""
    known = shipped.policy()
    sim = paged_by_text_and_mail(known)
    paged = {
        each.contact for each in deliveries(sim) if (each.channel, each.purpose) == ("mail", Purpose.PAGE)
    }
    sim.policy = replace(
        known, contacts={name: replace(each, quiet=()) for name, each in known.contacts.items()}
    )
    do(sim, Verb.ACK, by="carol")
    assert {(contact, line) for contact, _, line in told(sim, "mail")} == {
        (contact, "carol has it: odd") for contact in paged
    }


ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(
            [Outcome.OK, Outcome.OK, Outcome.TEMPORARY, Outcome.UNKNOWN, Outcome.PERMANENT, None]
        ),
        st.integers(0, 40 * SECOND),
    ),
    max_size=25,
)
INCIDENTS = st.integers(1, 3).map("INC-{}".format)
PEOPLE = st.builds(
    lambda name, verb, to: Command(at=START, incident=name, verb=verb, by="carol", text="hm", to=to),
    INCIDENTS,
    st.sampled_from([Verb.ACK, Verb.ACK, Verb.RESOLVE, Verb.ESCALATE, Verb.STATUS, Verb.REASSIGN]),
    st.sampled_from(["contact:bob", "contact:room", "schedule:primary"]),
)
GRADES = st.builds(
    lambda name, level: Graded(at=START, incident=name, severity=level, by="carol"),
    INCIDENTS,
    st.integers(0, 3),
)
BACK = st.builds(
    lambda name, number, status: Receipt(at=START, delivery=f"{name}-d{number}", status=status),
    INCIDENTS,
    st.integers(1, 9),
    st.sampled_from(["failed", "delivered"]),
)
STEPS = st.lists(
    st.tuples(
        st.one_of(CONDITIONS, CONDITIONS, PEOPLE, PEOPLE, GRADES, BACK),
        st.sampled_from([True, True, False]),
        st.one_of(st.just(0), st.integers(0, 15 * 60)),
    ),
    min_size=8,
    max_size=20,
)


@given(STEPS, ANSWERS)
@examples(40)
def test_whatever_the_chat_answers_there_is_one_thread_a_place_and_an_end_rings_nobody(
    log: list[tuple[object, bool, int]], answers: list[tuple[Outcome | None, int]]
) -> None:
    sim = Simulation(NOISY, START, Chat(answers))
    for what, fires, wait in log:
        if isinstance(what, tuple):
            report(sim, what, fires=fires)
        else:
            sim.feed(what)  # type: ignore[arg-type]
        sim.pass_time(sim.now + wait * SECOND)
        assert audit(sim.state, sim.now) == []
    sim.pass_time(sim.now + DAY)
    assert not [each.id for each in deliveries(sim) if each.held == Held.THREAD and not each.progress.over]
    gone = lost(sim)
    for opening in openers(sim).values():
        assert gone.issuperset(opening[:-1]), opening
    check_ends(sim)


def lost(sim: Simulation) -> set[str]:
    """Deliveries that had failed, were cancelled, gave way to a page, or arrived without a word of their id."""
    over = {Progress.FAILED, Progress.CANCELLED, Progress.DELIVERED, Progress.ANSWERED}
    changes = [each for _, decision in sim.decisions for each in decision.changes]
    said = [each.record for each in changes if isinstance(each, Put) and isinstance(each.record, Delivery)]
    return {each.id for each in said if each.progress in over or each.held == Held.THREAD}


def check_ends(sim: Simulation) -> None:
    """What an end says, it says to every thread, and over nothing that rings."""
    known: dict[str, Incident] = {}
    for _, decision in sim.decisions:
        puts = [each for each in decision.changes if isinstance(each, Put)]
        changed = [each.record for each in puts if isinstance(each.record, Incident)]
        said = [each.record for each in puts if each.table is Table.DELIVERY]
        for incident in changed:
            before = known.get(incident.id)
            known[incident.id] = incident
            if before is None or incident.phase is before.phase or incident.phase is not Phase.RESOLVED:
                continue
            rings = [
                each for each in decision.effects if isinstance(each, Deliver) and each.channel == "voice"
            ]
            assert not [each for each in rings if each.incident == incident.id]
            places = {
                each.address for each in said if isinstance(each, Delivery) and each.incident == incident.id
            }
            assert {each.address for each in before.threads if each.id} <= places
    assert not [
        each
        for _, each in sim.effects
        if isinstance(each, Deliver) and each.channel == "voice" and each.purpose is not Purpose.PAGE
    ]
