"""From the files to a policy: what it holds, what it is called, and that all faults come together."""

from pathlib import Path

import pytest
import shipped
from small_policy import START

from ledger import policies
from routing import oncall, routes
from routing.alerts.classify import classify
from routing.catalogue import Catalogue
from routing.errors import ConfigError
from routing.event import Event, Status
from routing.load import load, version
from routing.policy import Method, Rate, Secret
from routing.reason import BUILT_IN
from routing.severity import Severity

HOUR = 3_600_000


def event(vendor: str, kind: str, status: Status = Status.FIRING, source: str = "", **labels: str) -> Event:
    return Event(
        source=source or vendor, vendor=vendor, kind=kind, status=status, key="k", title="t", labels=labels
    )


def test_the_shipped_configuration_is_good_with_only_its_four_secrets() -> None:
    assert shipped.faults(shipped.files(), dict.fromkeys(shipped.SECRETS, "x")) == ()


def test_levels_promise_what_the_operational_runbooks_say() -> None:
    promised = [(level.respond_ms, level.resolve_ms) for level in shipped.policy().levels.values()]
    assert promised == [
        (HOUR // 12, HOUR), (HOUR // 4, 4 * HOUR), (HOUR, 24 * HOUR), (4 * HOUR, 72 * HOUR), (24 * HOUR, None),
    ]  # fmt: skip
    assert shipped.policy().levels[Severity.SEV0].hold_ms == 0
    assert shipped.policy().levels[Severity.SEV1].hold_ms > 0


@pytest.mark.parametrize(
    ("reported", "severity", "handling", "escalation"),
    [
        (event("alertmanager", "SiteDown"), Severity.SEV0, "alert", "on-call"),
        (event("alertmanager", "HighErrorRate"), Severity.SEV1, "alert", "on-call"),
        (event("alertmanager", "CheckoutFailing", severity="warning"), Severity.SEV1, "alert", "on-call"),
        (event("vercel", "deployment.error", target="production"), Severity.SEV3, "alert", "team-room"),
        (event("vercel", "deployment.succeeded", Status.INFO, target="production"), Severity.SEV4, "deploy", ""),
        (event("vercel", "deployment.promoted", Status.INFO, target="production"), Severity.SEV4, "deploy", ""),
        (event("vercel", "deployment.succeeded", Status.INFO, target="preview"), Severity.SEV2, "record", ""),
        (event("stripe", "payment_intent.payment_failed", Status.INFO), Severity.SEV4, "record", ""),
        (event("stripe", "charge.dispute.created"), Severity.SEV2, "alert", "payments"),
        (event("tocsin", "DeadLetters"), Severity.SEV2, "alert", "on-call"),
    ],
    ids=["site down", "errors", "checkout", "failed build", "deployed", "promoted", "preview", "card", "dispute", "us"],
)  # fmt: skip
def test_the_shipped_rules_classify_and_route(
    reported: Event, severity: Severity, handling: str, escalation: str
) -> None:
    found = classify(shipped.policy(), reported, START)
    assert (found.severity, found.handling) == (severity, handling)
    if escalation:
        assert [each.route.escalation for each in routes.match(shipped.policy(), found.labels)] == [
            escalation
        ]


def test_reasons_name_the_file_and_line_of_the_rule() -> None:
    (reason,) = classify(shipped.policy(), event("alertmanager", "SiteDown"), START).reasons
    assert reason.origin == f"config/severity.yaml:{shipped.line_of('severity.yaml', 'name: site-down')}"
    default = classify(shipped.policy(), event("alertmanager", "Odd"), START).reasons[-1]
    assert default.origin == f"config/severity.yaml:{shipped.line_of('severity.yaml', 'default:')}"


def test_twenty_failed_payments_in_five_minutes_are_the_threshold() -> None:
    threshold = next(each for each in shipped.policy().thresholds if each.name == "payments-failing")
    assert (threshold.count, threshold.window_ms, threshold.severity) == (20, 5 * 60_000, Severity.SEV1)


def test_the_rollback_runbook_tells_the_story() -> None:
    runbook = next(each for each in shipped.policy().runbooks if each.id == "rollback")
    assert runbook.diagnose[0].action == "http.probe"
    assert [(step.action, step.mutates, step.recover) for step in runbook.remediate] == [
        ("vercel.rollback", True, "undo: vercel.promote")
    ]
    assert runbook.when_severity == (Severity.SEV0, Severity.SEV1)
    assert runbook.origin.file == "config/runbooks/rollback.yaml"
    assert runbook.verify is not None
    assert runbook.verify.for_ms < runbook.verify.timeout_ms <= runbook.timeout_ms
    assert runbook.followups


def test_contacts_are_paged_as_the_severity_says_and_updated_without_ringing() -> None:
    anna = shipped.policy().contacts["anna"]
    assert anna.by_severity[Severity.SEV0] == (Method("voice", "+48500000001"), Method("sms", "+48500000001"))
    assert {method.channel for method in anna.by_severity[Severity.SEV3]} == {"sms", "mail"}
    voices = {name for name, channel in shipped.policy().channels.items() if channel.voice}
    assert voices == {"voice"}
    for contact in shipped.policy().contacts.values():
        assert contact.quiet
        assert not {method.channel for method in contact.quiet} & voices


def test_primary_and_secondary_are_never_the_same_person() -> None:
    schedules = shipped.policy().schedules
    for week in range(60):
        at = 1_764_000_000_000 + week * 7 * 24 * HOUR
        pair = {
            oncall.who(schedules[name], oncall.Standing(), at).contact for name in ("primary", "secondary")
        }
        assert len(pair) == 2


def test_children_inherit_what_they_do_not_say_and_policies_go_on_with_others() -> None:
    policy = shipped.policy()
    payments = routes.by_name(policy, "payments")
    assert payments is not None
    assert (payments.group_by, payments.reopen_ms) == (policy.route.group_by, policy.route.reopen_ms)
    assert payments.inform == (("contact", "team-payments"),)
    followed = policy.escalations["on-call"].steps
    assert policy.escalations["payments"].steps[1:] == followed


def test_alarms_about_ourselves_have_a_source_of_their_own_without_a_way_in() -> None:
    ours = shipped.policy().sources["tocsin"]
    assert (ours.secrets, ours.origin) == ((), BUILT_IN)


def test_secrets_stay_names_until_somebody_needs_them() -> None:
    assert shipped.policy().sources["stripe"].secrets == (Secret("STRIPE_WEBHOOK_SECRET"),)


def test_an_unset_secret_of_a_source_is_a_fault_and_of_a_channel_is_not() -> None:
    env = dict.fromkeys(shipped.SECRETS[:-1], "x")
    (fault,) = shipped.faults(shipped.files(), env)
    assert fault.found == f"{shipped.SECRETS[-1]} is not set"
    assert fault.file == "config/sources.yaml"
    (empty,) = shipped.faults(shipped.files(), {**env, shipped.SECRETS[-1]: ""})
    assert empty == fault


def test_without_an_environment_no_secret_is_missed() -> None:
    assert shipped.faults(shipped.files()) == ()


def test_all_faults_of_all_files_are_told_together_in_order() -> None:
    files = shipped.spoilt("routes.yaml", "escalation: payments", "escalation: nobody")
    files["config/oncall.yaml"] = files["config/oncall.yaml"].replace("Europe/Warsaw", "Mars/Olympus")
    files["config/severity.yaml"] = files["config/severity.yaml"].replace(
        "count: 20", "count: 20\n    cuont: 1"
    )
    files["config/extra.yaml"] = "a: 1\n"
    del files["config/channels.yaml"]
    told = shipped.faults(files)
    places = [(fault.file, fault.line, fault.column) for fault in told]
    assert places == sorted(places)
    zones = files["config/oncall.yaml"].count("Mars/Olympus")
    assert sum("Mars/Olympus" in fault.found for fault in told) == zones
    said = "\n".join(str(fault) for fault in told)
    for part in (
        "channels.yaml:0:0: the file is missing",
        'policy "nobody"',
        '"cuont"',
        "no file of this name",
    ):
        assert part in said


def test_a_file_that_cannot_be_read_does_not_make_its_readers_faulty() -> None:
    files = {**shipped.files(), "config/oncall.yaml": "contacts: [\n"}
    assert {fault.file for fault in shipped.faults(files)} == {"config/oncall.yaml"}


def test_two_runbooks_of_one_id_are_a_fault() -> None:
    files = shipped.files()
    files["config/runbooks/second.yaml"] = files["config/runbooks/rollback.yaml"]
    (fault,) = shipped.faults(files)
    assert (fault.file, fault.path) == ("config/runbooks/second.yaml", "id")
    assert 'a second runbook "rollback", the first is in config/runbooks/rollback.yaml' in fault.found


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "word\n", "\tx: 1\n", "a: \udce9\n"])
def test_a_file_that_is_no_mapping_is_a_fault_of_that_file(text: str) -> None:
    told = shipped.faults({**shipped.files(), "config/severity.yaml": text})
    assert {fault.file for fault in told} == {"config/severity.yaml"}


def test_bytes_that_are_not_utf8_are_a_fault_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_bytes(b"public_url: http://x\n# caf\xe9\n")
    told = shipped.faults({**shipped.files(), **policies.read_files(tmp_path)})
    assert [(fault.file, fault.line) for fault in told] == [("config/tocsin.yaml", 2)]


def test_the_facts_of_the_vendors_are_enough_to_compile_again() -> None:
    kept = Catalogue.from_facts(shipped.vendors().facts())
    assert load(shipped.files(), kept) == shipped.policy()


def test_the_version_follows_names_and_texts_and_no_order() -> None:
    files = shipped.files()
    assert version(files) == version(dict(reversed(files.items()))) == shipped.policy().version
    assert version(files) != version({**files, "config/tocsin.yaml": files["config/tocsin.yaml"] + "\n"})
    assert version({"config/a": "bc"}) != version({"config/ab": "c"})


def test_an_error_lists_one_fault_a_line() -> None:
    with pytest.raises(ConfigError) as error:
        load({}, shipped.vendors())
    assert len(str(error.value).split("\n")) == len(error.value.faults) == 7


def test_services_are_known_by_name_with_what_they_need() -> None:
    checkout = shipped.policy().services["checkout"]
    assert (checkout.tier, checkout.team) == (1, "payments")
    assert set(checkout.depends_on) <= shipped.policy().services.keys()


def test_services_may_be_left_out() -> None:
    """With what names them: the shipped probes and status page do."""
    gone = {"config/services.yaml", "config/probes.yaml", "config/process.yaml"}
    files = {name: text for name, text in shipped.files().items() if name not in gone}
    assert load(files, shipped.vendors()).services == {}


def test_a_sprint_without_a_calendar_is_a_fault_of_its_level() -> None:
    files = shipped.files()
    files["config/calendar.yaml"] = files["config/calendar.yaml"].split("# SEV-4")[0]
    (fault,) = shipped.faults(files)
    assert (fault.file, fault.line) == ("config/tocsin.yaml", shipped.line_of("tocsin.yaml", "SEV-4"))
    assert "nobody knows when sprints end" in fault.found


def test_every_kind_of_threshold_is_read() -> None:
    more = (
        "count: 20\n    distinct: customer\n    by: [currency]\n    most: 10",
        "count: 20\n    rate: {times: 2.5}",
        "count: 20\n    ratio: {percent: 20, match: ['kind=\"payment_intent.succeeded\"']}",
    )
    distinct, rate, ratio = (
        load(shipped.spoilt("severity.yaml", "count: 20", text), shipped.vendors()).thresholds[0]
        for text in more
    )
    assert (distinct.distinct, distinct.by, distinct.most) == ("customer", ("currency",), 10)
    assert rate.rate == Rate(times=2.5, windows=6)
    assert ratio.ratio is not None
    assert ratio.ratio.percent == 20
    assert ratio.ratio.matchers[0].matches({"kind": "payment_intent.succeeded"})


def test_what_is_expected_is_read() -> None:
    text = (
        "absences:\n  - {name: b, match: ['kind=\"b\"'], after: ['kind=\"a\"'], within: 1h, inside: working, by: [host],"
        " most: 7, severity: SEV-2, title: B, team: platform, service: database}\n"
    )
    rule = load(shipped.spoilt("severity.yaml", "absences:\n", text), shipped.vendors()).absences[0]
    assert (rule.within_ms, rule.by, rule.most, rule.severity) == (3_600_000, ("host",), 7, Severity.SEV2)
    assert (rule.team, rule.service, rule.title) == ("platform", "database", "B")
    assert rule.after[0].matches({"kind": "a"})
    assert rule.hours is not None
    assert rule.hours.name == "working"
