"""What goes live all the same: each warning at its line with its fix, and not where all is meant."""

from dataclasses import replace

import pytest
import shipped
import small_policy
import yaml
from small_policy import HERE

from routing.errors import ConfigError, ConfigWarning
from routing.load import examine
from routing.policy import Method, Policy
from routing.response.proofs import proof_key
from routing.severity import Severity
from routing.warnings import unverified

SECRETS = dict.fromkeys(shipped.SECRETS, "x")
TWILIO = dict.fromkeys(
    ("TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_FROM_NUMBER"), "x"
)


def warnings(files: dict[str, str], environ: dict[str, str]) -> tuple[ConfigWarning, ...]:
    """But for the contacts, which are still to be filled in."""
    found = examine(files, shipped.vendors(), {**SECRETS, **environ}).warnings
    return tuple(each for each in found if not each.found.startswith("a placeholder"))


def at(address: str) -> dict[str, str]:
    return shipped.spoilt("tocsin.yaml", "http://127.0.0.1:8080", address)


def test_the_shipped_configuration_without_credentials_has_no_warning() -> None:
    assert warnings(shipped.files(), {}) == ()


def test_real_calls_that_ask_for_a_key_this_machine_alone_could_hear_are_warned_of() -> None:
    (told,) = warnings(shipped.files(), TWILIO)
    line = shipped.line_of("tocsin.yaml", "public_url")
    assert str(told).startswith(
        f"config/tocsin.yaml:{line}:13: warning: public_url: http://127.0.0.1:8080 is"
    )
    assert "voice, sms would reach people" in told.found
    assert "https://tocsin.example.com, or set TOCSIN_PUBLIC_URL" in told.fix


@pytest.mark.parametrize("address", ["http://localhost:8080", "http://[::1]:8080", "http://0.0.0.0:8080"])
def test_every_spelling_of_this_machine_is_known(address: str) -> None:
    (told,) = warnings(
        at(f'"{address}"'), {"SMTP_HOST": "mail.example.com", "SMTP_FROM": "tocsin@example.com"}
    )
    assert f"{address} is this machine only, while mail" in told.found


@pytest.mark.parametrize(
    ("files", "environ"),
    [
        (at("https://tocsin.example.com"), TWILIO),
        (shipped.files(), {**TWILIO, "TOCSIN_PUBLIC_URL": "https://tocsin.example.com"}),
        (shipped.files(), {**TWILIO, "TWILIO_API_SECRET": ""}),
    ],
    ids=["an address of the world", "said by the environment", "half of the credentials: the sandbox"],
)
def test_where_answers_arrive_or_nobody_is_asked_there_is_no_warning(
    files: dict[str, str], environ: dict[str, str]
) -> None:
    assert warnings(files, environ) == ()


def test_on_channels_that_reach_people_each_contact_still_to_be_filled_in_is_named() -> None:
    found = examine(shipped.files(), shipped.vendors(), {**SECRETS, **TWILIO}).warnings
    told = {each.path: each.found for each in found if each.path.startswith("contacts.")}
    phones = {
        f"contacts.{name}"
        for name, contact in shipped.policy().contacts.items()
        if any(method.channel in {"voice", "sms"} for method in contact.methods)
    }
    assert told.keys() == phones
    assert told["contacts.anna"] == "a placeholder: voice +48500000001, sms +48500000001"
    real = shipped.files()
    real["config/oncall.yaml"] = real["config/oncall.yaml"].replace("+485000", "+485012")
    assert not [each for each in examine(real, shipped.vendors(), {**SECRETS, **TWILIO}).warnings
                if each.path.startswith("contacts.")]  # fmt: skip


def test_a_warning_never_hides_a_fault() -> None:
    files = shipped.spoilt("tocsin.yaml", "max_running: 3", "max_running: three")
    with pytest.raises(ConfigError) as error:
        warnings(files, TWILIO)
    assert [fault.path for fault in error.value.faults] == ["max_running"]


def test_secrets_are_not_asked_for_unless_wanted() -> None:
    assert examine(shipped.files(), shipped.vendors(), TWILIO, secrets=False).warnings


BRANCHED = """\
    branches:
      - when: {severity: [SEV-0, SEV-1]}
        steps:
          - {notify: [{schedule: primary}], wait: 5m}
          - {notify: [{contact: cto}], wait: 5m, when: {severity: [SEV-3]}}
    steps:
      - {notify: [{schedule: primary}], wait: 5m}
"""


def test_a_step_whose_condition_contradicts_its_branch_is_warned_of_at_its_line() -> None:
    files = shipped.spoilt(
        "escalation.yaml", "    steps:\n      - {notify: [{schedule: primary}], wait: 5m}\n", BRANCHED
    )
    (told,) = warnings(files, {})
    text = files["config/escalation.yaml"].splitlines()
    assert text[told.line - 1].strip().startswith("- {notify: [{contact: cto}]")
    assert told.found == "a step that is for (SEV-0 or SEV-1) and (SEV-3)"
    assert told.fix


def test_an_escalation_policy_no_route_leads_to_is_warned_of() -> None:
    more = "policies:\n  spare:\n    steps:\n      - {notify: [{contact: cto}], wait: 5m}\n"
    (told,) = warnings(shipped.spoilt("escalation.yaml", "policies:\n", more), {})
    assert (told.path, told.found) == ("policies.spare", "no route leads to it")


def test_a_contact_nothing_leads_to_is_warned_of_and_one_of_a_role_is_not() -> None:
    lone = "contacts:\n  dora:\n    title: Dora\n    methods: {mail: {channel: mail, address: dora@example.com}}\n    page: {default: [mail]}\n"
    files = shipped.spoilt("oncall.yaml", "contacts:\n", lone)
    (told,) = warnings(files, {})
    assert told.path == "contacts.dora"
    role = "roles:\n  - {role: observer, to: {contact: dora}}\n"
    process = shipped.spoilt("process.yaml", "roles:\n", role)["config/process.yaml"]
    assert warnings({**files, "config/process.yaml": process}, {}) == ()


@pytest.mark.parametrize(
    ("runbook", "old", "new"),
    [
        ("dispute", "to: {contact: commander}", "to: {contact: dora}"),
        (
            "rotate-key",
            "from: [{contact: security}, {contact: cto}]",
            "from: [{contact: security}, {contact: dora}]",
        ),
    ],
    ids=["who gets a task", "who may approve"],
)
def test_a_contact_whom_only_a_runbook_names_is_none_that_nothing_leads_to(
    runbook: str, old: str, new: str
) -> None:
    lone = "contacts:\n  dora:\n    title: Dora\n    methods: {mail: {channel: mail, address: dora@example.com}}\n    page: {default: [mail]}\n    quiet: [mail]\n"
    files = shipped.spoilt("oncall.yaml", "contacts:\n", lone)
    named = shipped.spoilt(f"runbooks/{runbook}.yaml", old, new)[f"config/runbooks/{runbook}.yaml"]
    assert warnings({**files, f"config/runbooks/{runbook}.yaml": named}, {}) == ()


@pytest.mark.parametrize(
    ("match", "why"),
    [
        ("""['kind="SiteDown"', 'service="site"']""", "site-down above it takes all of it"),
        ("""['kind=~"SiteUnreachable|SiteDown"']""", "site-down above it takes all of it"),
        ("""['kind="SiteDown"', 'kind="Other"']""", "no event fulfils all of its matchers"),
        ("""['kind="SiteDown"', 'kind!~"Site.*"']""", "no event fulfils all of its matchers"),
    ],
)
def test_a_rule_for_which_no_event_is_left_is_warned_of_at_its_line(match: str, why: str) -> None:
    rule = f"  - {{name: late, match: {match}, severity: SEV-3}}\n  - name: web-vitals\n"
    files = shipped.spoilt("severity.yaml", "  - name: web-vitals\n", rule)
    (told,) = warnings(files, {})
    assert (told.found, told.line) == (why, shipped.line_of("severity.yaml", "name: late", files))


@pytest.mark.parametrize(
    "match", ["""['kind=~"Site.*"']""", """['kind=~"SiteDown|Other"']""", """['team="site"']"""]
)
def test_a_rule_that_some_event_may_still_reach_is_not(match: str) -> None:
    rule = f"  - {{name: late, match: {match}, severity: SEV-3}}\n  - name: web-vitals\n"
    assert warnings(shipped.spoilt("severity.yaml", "  - name: web-vitals\n", rule), {}) == ()


@pytest.mark.parametrize(
    ("match", "why"),
    [
        ("""['team="payments"', 'service="checkout"']""", "payments above it takes all of it"),
        ("""['team="security"', 'team="platform"']""", "no alert fulfils all of its matchers and those of the routes around it"),
    ],
)  # fmt: skip
def test_a_route_for_which_no_alert_is_left_is_warned_of_at_its_line(match: str, why: str) -> None:
    files = shipped.spoilt(
        "routes.yaml", "    - name: minor\n", f"    - {{name: late, match: {match}}}\n    - name: minor\n"
    )
    (told,) = warnings(files, {})
    assert (told.found, told.line) == (why, shipped.line_of("routes.yaml", "name: late", files))


def test_a_route_below_one_that_asks_for_another_team_is_never_reached() -> None:
    """But one below a route that goes on to its siblings is."""
    old = "        - name: minor-security\n          match: ['severity=~"
    files = shipped.spoilt("routes.yaml", old, old.replace("['", "['team=\"payments\"', '"))
    (told,) = warnings(files, {})
    assert "routes around it" in told.found
    going_on = shipped.spoilt(
        "routes.yaml",
        "match: ['team=\"payments\"']\n",
        "match: ['team=\"payments\"']\n      continue: true\n",
    )
    late = "    - {name: late, match: ['team=\"payments\"']}\n    - name: minor\n"
    going_on["config/routes.yaml"] = going_on["config/routes.yaml"].replace("    - name: minor\n", late)
    assert warnings(going_on, {}) == ()


VOICE, SMS, MAIL = Method("voice", "+48501234567"), Method("sms", "+48501234567"), Method("mail", "a@shop.pl")
NOBODYS = Method("voice", "+48500000001")


def anna(urgent: tuple[Method, ...], rest: tuple[Method, ...]) -> Policy:
    levels = {level: urgent if level <= Severity.SEV1 else rest for level in Severity}
    contact = replace(
        small_policy.POLICY.contacts["anna"], methods=(*urgent, *rest), by_severity=levels, origin=HERE
    )
    return replace(small_policy.POLICY, contacts={"anna": contact})


def unproven(policy: Policy, *proven: Method) -> list[ConfigWarning]:
    keys = {proof_key(each.channel, each.address) for each in proven}
    return list(unverified(policy, keys.__contains__))


def test_who_has_no_proven_method_is_warned_of_with_the_severities_and_the_commands() -> None:
    (told,) = unproven(anna((VOICE, SMS), (MAIL,)))
    assert str(told) == (
        "config/test.yaml:7:1: warning: contacts.anna: "
        "anna has no verified method for SEV-0, SEV-1, SEV-2, SEV-3, SEV-4; reach them, then: "
        "tocsin contacts verify anna --channel voice and tocsin contacts verify anna --channel mail"
    )
    (told,) = unproven(anna((VOICE, SMS), (MAIL,)), MAIL)
    assert told.found == "anna has no verified method for SEV-0, SEV-1"
    assert told.fix == "reach them, then: tocsin contacts verify anna --channel voice"


@pytest.mark.parametrize(
    ("policy", "proven"),
    [
        (anna((VOICE, SMS), (MAIL,)), (SMS, MAIL)),
        (anna((VOICE, MAIL), (MAIL,)), (MAIL,)),
        (anna((NOBODYS,), (NOBODYS,)), ()),
        (anna((NOBODYS,), (MAIL,)), (MAIL,)),
    ],
    ids=["one of each", "one of all", "all to be filled in", "the rest to be filled in"],
)
def test_who_is_reached_or_still_to_be_filled_in_is_not(policy: Policy, proven: tuple[Method, ...]) -> None:
    """What is to be filled in has a warning of its own."""
    assert unproven(policy, *proven) == []


def test_the_command_names_a_way_that_is_filled_in() -> None:
    (told,) = unproven(anna((NOBODYS, SMS), (SMS,)))
    assert told.fix == "reach them, then: tocsin contacts verify anna --channel sms"


@pytest.mark.parametrize(
    ("page", "warned"),
    [("[push]", True), ("[push, mail]", False), ("[mail]", False)],
    ids=["alone", "beside", "not"],
)
def test_a_page_that_only_a_channel_carries_which_proves_nothing_is_warned_of(
    page: str, warned: bool
) -> None:
    files = shipped.files()
    channels, oncall = (
        yaml.safe_load(files["config/channels.yaml"]),
        yaml.safe_load(files["config/oncall.yaml"]),
    )
    channels["channels"]["push"] = {"vendor": "apprise", "settings": {"url": "${PUSH_URL:-}"}}
    contact = oncall["contacts"]["cto"]
    contact["methods"]["push"] = {"channel": "push", "address": "everybody"}
    contact["page"] = {"default": yaml.safe_load(page)}
    files |= {"config/channels.yaml": yaml.safe_dump(channels), "config/oncall.yaml": yaml.safe_dump(oncall)}
    told = [each for each in warnings(files, {}) if "cto is paged over push alone" in each.found]
    assert bool(told) is warned
    assert all("another way beside it" in each.fix for each in told)


@pytest.mark.parametrize(
    ("channel", "vendor", "address", "warned"),
    [
        ("mail", "email", "anna", True),
        ("mail", "email", "anna@example.com", False),
        ("sms", "twilio_sms", "0500 100 200", True),
        ("sms", "twilio_sms", "+48500100200", False),
        ("chat", "telegram", "anna", True),
        ("chat", "telegram", "-1001234", False),
        ("chat", "webhook", "any name", False),
    ],
)
def test_an_address_that_reaches_nobody_is_warned_of(
    channel: str, vendor: str, address: str, warned: bool
) -> None:
    files = shipped.files()
    channels, oncall = (
        yaml.safe_load(files["config/channels.yaml"]),
        yaml.safe_load(files["config/oncall.yaml"]),
    )
    needed = {"telegram": {"token": "${T:-}"}, "webhook": {"url": "https://x.example", "secret": "${S:-}"}}
    channels["channels"].setdefault(channel, {"vendor": vendor, "settings": needed.get(vendor, {})})
    oncall["contacts"]["cto"]["methods"]["other"] = {"channel": channel, "address": address}
    files |= {"config/channels.yaml": yaml.safe_dump(channels), "config/oncall.yaml": yaml.safe_dump(oncall)}
    told = [each.found for each in warnings(files, {}) if "no address of" in each.found]
    expected = f"{address!r} is no address of {vendor}, so cto is not reached by {channel}"
    assert told == ([expected] if warned else [])
