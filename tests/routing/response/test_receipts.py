"""What providers report later: mail that came back, of which attempt, and the other provider that takes over."""

from dataclasses import replace

from small_policy import HERE, POLICY, START, World, firing
from telling import deliveries, do, ladder, lines, pages, simulate, step

from routing.delivery import Delivery, Progress, Purpose
from routing.effect import Deliver
from routing.entry import Outcome, Receipt, Verb
from routing.instant import MINUTE, SECOND
from routing.policy import Channel, Method, Policy
from routing.severity import Severity
from routing.simulation import Simulation

SMTP, HTTP = Method("mail", "anna@example.com"), Method("resend", "anna@example.com")


def by_mail() -> Policy:
    """Anna is told by mail alone, through two providers."""
    anna = replace(
        POLICY.contacts["anna"],
        methods=(SMTP, HTTP),
        by_severity={level: (SMTP, replace(HTTP, after_ms=10 * MINUTE)) for level in Severity},
        quiet=(SMTP, HTTP),
    )
    policy = ladder(step(("contact", "anna"), wait_ms=30 * MINUTE))
    resend = Channel("resend", "resend", {}, HERE)
    return replace(
        policy, contacts={**policy.contacts, "anna": anna}, channels={**policy.channels, "resend": resend}
    )


def begun(world: World | None = None) -> Simulation:
    sim = simulate(by_mail(), world)
    sim.feed(firing())
    sim.pass_time(START + SECOND)
    return sim


def first(sim: Simulation) -> Delivery:
    return next(each for each in deliveries(sim) if each.id == "INC-1-d1")


def came_back(sim: Simulation, provider_id: str = "P-INC-1-d1-1", status: str = "bounced") -> None:
    sim.feed(
        Receipt(
            at=sim.now,
            delivery="INC-1-d1",
            status=status,
            provider_id=provider_id,
            detail="5.1.1 no such user",
        )
    )


def test_mail_that_came_back_goes_out_over_the_other_provider_at_once() -> None:
    sim = begun()
    sim.pass_time(START + 2 * MINUTE)
    came_back(sim)
    assert pages(sim) == [(0, "anna", "mail"), (120, "anna", "resend")]
    assert (first(sim).progress, first(sim).error) == (Progress.FAILED, "bounced 5.1.1 no such user")


def test_a_provider_that_refuses_for_good_is_passed_over_at_once() -> None:
    world = World()
    world.refuses = {"mail": Outcome.PERMANENT}
    assert pages(begun(world)) == [(0, "anna", "mail"), (0, "anna", "resend")]


def test_a_provider_that_is_down_for_long_is_passed_over_once_its_attempts_are_used_up() -> None:
    world = World()
    world.refuses = {"mail": Outcome.TEMPORARY}
    sim = begun(world)
    sim.pass_time(START + MINUTE)
    assert [channel for _, _, channel in pages(sim)] == ["mail", "mail", "mail", "resend"]
    assert pages(sim)[-1][0] < 60, "long before the other's own turn"


def test_an_update_takes_the_other_provider_too() -> None:
    world = World()
    sim = begun(world)
    world.refuses = {"mail": Outcome.PERMANENT}
    do(sim, Verb.RESOLVE, by="bob")
    sim.pass_time(sim.now + SECOND)
    told = [each.channel for _, each in sim.effects if isinstance(each, Deliver) and each.purpose is Purpose.UPDATE
            and each.contact == "anna"]  # fmt: skip
    assert told == ["mail", "resend"]


def test_of_an_earlier_attempt_only_good_news_counts() -> None:
    """The first may have arrived, so it was sent again; that the first came back says nothing of the second."""
    world = World()
    world.refuses = {"mail": Outcome.UNKNOWN}
    sim = begun(world)
    world.refuses = {}
    sim.pass_time(START + 30 * SECOND)
    assert (first(sim).attempt, first(sim).progress) == (2, Progress.SENT)
    came_back(sim, "P-INC-1-d1-1")
    assert first(sim).progress is Progress.SENT
    came_back(sim, "P-INC-1-d1-2")
    assert first(sim).progress is Progress.FAILED


def test_a_report_read_twice_fails_a_delivery_once() -> None:
    sim = begun()
    for _ in range(3):
        came_back(sim)
    assert [channel for _, _, channel in pages(sim)] == ["mail", "resend"]


def test_a_complaint_is_noted_and_changes_nothing() -> None:
    sim = begun()
    came_back(sim, status="complained")
    assert first(sim).progress is Progress.SENT
    assert "mail to anna: complained 5.1.1 no such user" in lines(sim)
    assert len(pages(sim)) == 1


def test_a_report_on_a_delivery_nobody_knows_is_nothing() -> None:
    sim = begun()
    sim.feed(Receipt(at=sim.now, delivery="watchdog-1764", status="bounced", provider_id="x"))
    assert len(pages(sim)) == 1


def test_a_report_that_comes_before_our_own_record_of_the_mail_counts_and_is_not_undone() -> None:
    """Providers call back within milliseconds, sometimes before the worker has written down that it was taken."""
    sim = simulate(by_mail())
    sim.feed(firing())
    came_back(sim, "any-id-of-theirs")
    sim.pass_time(START + SECOND)
    assert first(sim).progress is Progress.FAILED
    assert [channel for _, _, channel in pages(sim)] == ["mail", "resend"]


def test_delivered_before_our_own_record_stays_delivered() -> None:
    sim = simulate(by_mail())
    sim.feed(firing())
    for _ in range(2):
        came_back(sim, "any-id-of-theirs", "delivered")
    sim.pass_time(START + SECOND)
    assert first(sim).progress is Progress.DELIVERED
    assert len(pages(sim)) == 1
