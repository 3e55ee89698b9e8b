"""Each fault of the configuration alone: told once, at its line, with what to write instead."""

import pytest
import shipped

# (what is wrong, file, text, what it is replaced by, text on the line that is told, found, fix)
FAULTS = [
    # references
    ("unknown contact", "escalation.yaml", "{contact: commander}", "{contact: comander}", "comander",
     'no contact "comander"', 'did you mean "commander"? (contact names come from config/oncall.yaml)'),
    ("unknown schedule", "escalation.yaml", "schedule: secondary", "schedule: secundary", "secundary",
     'no schedule "secundary"', 'did you mean "secondary"?'),
    ("unknown channel", "oncall.yaml", "channel: voice", "channel: voise", "voise",
     'no channel "voise"', 'did you mean "voice"? (channel names come from config/channels.yaml)'),
    ("unknown policy", "routes.yaml", "escalation: team-room", "escalation: team-rom", "team-rom",
     'no escalation policy "team-rom"', 'did you mean "team-room"?'),
    ("unknown policy to follow", "escalation.yaml", "then: on-call", "then: oncall", "then: oncall",
     'no escalation policy "oncall"', 'did you mean "on-call"?'),
    ("unknown person in a rotation", "oncall.yaml", "[anna, ben]", "[anna, bne]", "[anna, bne]",
     'no contact "bne"', 'did you mean "ben"?'),
    ("unknown last resort", "tocsin.yaml", "contact: cto", "contact: ceo", "contact: ceo",
     'no contact "ceo"', 'did you mean "cto"?'),
    ("unknown method", "oncall.yaml", "quiet: [sms, mail]", "quiet: [sms, male]", "male",
     'no method "male" of this contact', 'did you mean "mail"?'),
    ("unknown source vendor", "sources.yaml", "vendor: stripe", "vendor: strype", "strype",
     'no source vendor "strype"', 'did you mean "stripe"?'),
    ("unknown channel vendor", "channels.yaml", "vendor: email", "vendor: emial", "emial",
     'no channel vendor "emial"', 'did you mean "email"?'),
    ("unknown action family", "actions.yaml", "  vercel:", "  verzel:", "verzel",
     'no action family "verzel"', 'did you mean "vercel"?'),
    ("unknown action", "runbooks/rollback.yaml", "action: vercel.deployments", "action: vercel.deployment",
     "vercel.deployment", 'no action "vercel.deployment"', 'did you mean "vercel.deployments"?'),
    ("unknown service", "services.yaml", "depends_on: [database]", "depends_on: [databse]", "databse",
     'no service "databse"', 'did you mean "database"? (service names come from config/services.yaml)'),
    ("list for a vendor", "channels.yaml", "vendor: email", "vendor: [email]", "[email]", "a list", "write text"),
    # relations
    ("cyclic policy", "escalation.yaml", "  on-call:\n", "  on-call:\n    then: payments\n", "then: payments",
     "a cycle: on-call then payments then on-call", "end one of them without then"),
    ("policy that follows itself", "escalation.yaml", "then: on-call", "then: payments", "then: payments",
     "a cycle: payments then payments", "end one of them without then"),
    ("services that need each other", "services.yaml", "depends_on: [hosting, database]", "depends_on: [hosting, site]",
     "[hosting, booking, checkout]", "a cycle: site needs booking needs site", "take out the dependency that is not one"),
    ("service that needs itself", "services.yaml", "depends_on: [database]", "depends_on: [booksy-sync]",
     "[booksy-sync]", "a cycle: booksy-sync needs booksy-sync", "take out the dependency that is not one"),
    ("two routes of one name", "routes.yaml", "name: payments", "name: minor", "name: minor",
     'a second route "minor"', "give it another name"),
    ("two rules of one name", "severity.yaml", "name: slow", "name: major-function", "name: major-function",
     'a second rule "major-function"', "give it another name"),
    # people
    ("unreachable person", "oncall.yaml", "page: {SEV-0: [phone, sms], SEV-1: [phone, sms], default: [sms, mail]}",
     "page: {SEV-0: [phone], SEV-2: [sms]}", "page: {SEV-0: [phone], SEV-2: [sms]}",
     "unreachable for SEV-1, SEV-3, SEV-4", "add default: [phone], or a line for each"),
    ("updates that ring", "oncall.yaml", "quiet: [sms, mail]", "quiet: [phone]", "quiet: [phone]",
     '"phone" rings a phone', "name a method that does not"),
    ("nobody to page", "oncall.yaml", "page: {default: [mail]}", "page: {default: []}", "page: {default: []}",
     "an empty list", "write at least one"),
    ("bad time zone", "oncall.yaml", "Europe/Warsaw", "Europe/Warsav", "Warsav",
     "no time zone 'Europe/Warsav'", 'did you mean "Europe/Warsaw"?'),
    ("handoff without a time", "oncall.yaml", '"2026-01-05T09:00"', "2026-01-05", "2026-01-05,",
     "'2026-01-05' has an offset or no time", "like 2026-01-05T09:00"),
    ("handoff with an offset", "oncall.yaml", "2026-01-05T09:00", "2026-01-05T09:00+01:00", "+01:00",
     "has an offset or no time", "like 2026-01-05T09:00"),
    ("half a day's turn", "oncall.yaml", "every: 1w", "every: 12h", "every: 12h",
     "no whole number of days", "like 7d or 1w"),
    # the calendar
    ("unknown holidays", "calendar.yaml", "holidays: [poland]", "holidays: [polnd]", "[polnd]",
     'no holidays "polnd"', 'did you mean "poland"?'),
    ("a day that is none", "calendar.yaml", "2026-12-26", "2026-12-32", "2026-12-32",
     "'2026-12-32' is no date", "like 2026-12-25"),
    ("a date in another form", "calendar.yaml", "2026-12-26", '"20261226"', "20261226",
     "is no date as we write it", "write 2026-12-26"),
    ("a holiday twice", "calendar.yaml", "2026-12-26", "2026-12-25", None, "2026-12-25 a second time", "remove it"),
    ("hours that are none", "calendar.yaml", "mon-fri 09:00-17:00", "weekdays 9-5", "weekdays 9-5",
     "is no span of the week", 'like "mon-fri 09:00-17:00"'),
    ("half a day's sprint", "calendar.yaml", "every: 2w", "every: 36h", "every: 36h",
     "no whole number of days", "like 7d or 1w"),
    ("empty rotation", "oncall.yaml", "contacts: [anna, ben]", "contacts: []", "contacts: []",
     "an empty list", "write at least one"),
    # types and traps
    ("wrong type", "tocsin.yaml", "max_running: 3", "max_running: three", "three",
     "'three' is text", "write a whole number"),
    ("list for text", "tocsin.yaml", "max_running: 3", "max_running: [3]", "[3]", "a list", "write a whole number"),
    ("nothing for a list", "escalation.yaml", "notify: [{contact: team-platform}]", "notify: ", "notify: ,",
     "nothing", "write a list"),
    ("text for a mapping", "escalation.yaml", "{schedule: primary}", "primary", "[primary]",
     "'primary' is text", "write a mapping"),
    ("too small", "tocsin.yaml", "max_running: 3", "max_running: 0", "max_running: 0",
     "0 is a number", "write 1 or more"),
    ("tier that is none", "services.yaml", "tier: 4", "tier: 5", "tier: 5", "5 is a number", "write 4 or less"),
    ("too large", "severity.yaml", "count: 20", "count: 20000", "count: 20000",
     "20000 is a number", "write 1000 or less"),
    ("one of several", "severity.yaml", "handling: deploy", "handling: deployment", "deployment\n",
     "'deployment' is text", 'did you mean "deploy"?'),
    ("no unit", "tocsin.yaml", "retire_after: 7d", "retire_after: 7", "retire_after: 7",
     "7 has no unit", "write 7s, 7m or 7h"),
    ("bad duration", "tocsin.yaml", "60m", "1hour", "1hour", "'1hour' is not a duration", "like 90s, 5m, 1h30m"),
    ("no time at all", "escalation.yaml", "wait: 4h", "wait: 0s", "wait: 0s", "0s is no time at all", "at least 1s"),
    ("bad severity", "severity.yaml", "severity: SEV-0", "severity: SEV0", "SEV0",
     "'SEV0' is no severity", "write SEV-0"),
    ("severity as a number", "severity.yaml", "default: SEV-2", "default: 2", "default: 2",
     "2 is no severity", "write SEV-2"),
    ("bad address", "tocsin.yaml", "http://127.0.0.1:8080 ", "127.0.0.1:8080 ", "public_url",
     "'127.0.0.1:8080' is no address", "like https://alerts.example.com"),
    ("bad name", "severity.yaml", "name: slow", "name: Slow Site", "Slow Site",
     "'Slow Site' is no name", "use lower-case letters"),
    ("yaml's no", "channels.yaml", "timeout: 15s", "timeout: no", "timeout: no",
     "no without quotes, which is false in older YAML", 'write false, or "no"'),
    ("yaml's base 60", "tocsin.yaml", "retire_after: 7d", "retire_after: 1:30", "1:30",
     "1:30 without quotes", 'write "1:30" in quotes, or 1h30m'),
    ("number without its plus", "oncall.yaml", '"+48500000001"', "+48500000001", "+48500000001",
     "+48500000001 without quotes", "as telephone numbers are"),
    ("unknown field", "tocsin.yaml", "retire_after: 7d", "retire: 7d", "retire: 7d",
     'unknown field "retire"', 'did you mean "retire_after"?'),
    ("unknown field deep down", "escalation.yaml", "wait: 10m}\n    repeat", "wait: 10m, until: x}\n    repeat", "until: x",
     'unknown field "until"', "write one of notify, wait"),
    ("field of another kind of route", "routes.yaml", "reopen: 30m", "reopen: 30m\n  continue: true", "continue",
     'unknown field "continue"', "write one of escalation, group_by"),
    ("missing field", "severity.yaml", "    count: 20\n", "", "name: payments-failing",
     '"count" is missing', "add count: how many events, like 20"),
    ("duplicate key", "tocsin.yaml", "max_running: 3", "max_running: 3\nmax_running: 4", "max_running: 4",
     'duplicate key "max_running", first on line', "keep one of the two"),
    ("anchor", "tocsin.yaml", "max_running: 3", "max_running: &n 3", "&n", "anchor &n", "remove it"),
    # levels
    ("SEV-0 that waits", "tocsin.yaml", "resolve: 1h,", "resolve: 1h, hold: 5m,", "hold: 5m",
     "a hold of 5m for SEV-0", "SEV-0 never waits"),
    # matchers and conditions
    ("bad matcher", "routes.yaml", """['team="payments"']""", "[team]", "[team]",
     "'team' is not a matcher", 'write name="value"'),
    ("unbalanced quote", "routes.yaml", """'team="payments"'""", """'team="payments'""", "team=",
     "has an unescaped double quote", 'write \\" inside of'),
    ("bad regular expression", "routes.yaml", """'team="payments"'""", """'team=~"(pay"'""", "(pay",
     "is no regular expression", "mend or escape it"),
    ("stalling regular expression", "routes.yaml", """'team="payments"'""", """'team=~"(a+)+"'""", "(a+)+",
     "a long label could stall it", "write it without the outer repeat"),
    ("no matcher at all", "routes.yaml", """['team="payments"']""", "[]", "match: []",
     "[] is no matcher", "write a list like"),
    ("number in the mapping form", "routes.yaml", """['team="payments"']""", "{team: 7}", "{team: 7}",
     "7 is no text", "write the value in quotes"),
    ("bad condition", "severity.yaml", "    team: platform\n", "    team: platform\n    when: 'event.kind =='\n", "when:",
     "is no condition: Incomplete expression", "write a JMESPath condition"),
    ("condition over nothing", "severity.yaml", "    team: platform\n", "    team: platform\n    when: evnt.kind\n", "when:",
     'no "evnt" to ask about', "write event."),
    ("condition with an unknown function", "severity.yaml", "    team: platform\n",
     "    team: platform\n    when: lenght(event.kind)\n", "when:", "calls lenght()", 'did you mean "length"?'),
    ("condition with a loose !", "severity.yaml", "    team: platform\n", "    team: platform\n    when: '!event.kind'\n",
     "when:", "! binds tighter than the dot", "write !(a.b)"),
    ("label that is the event's own", "severity.yaml", "    team: platform\n", "    team: platform\n    labels: {source: x}\n",
     "labels:", 'label "source" is set by the event', "give the label another name"),
    # secrets and settings
    ("secret with something around it", "sources.yaml", '"${STRIPE_WEBHOOK_SECRET}"', '"x${STRIPE_WEBHOOK_SECRET}"',
     "x${STRIPE", "a ${NAME} with something around it", "write nothing but ${NAME}"),
    ("source without a secret", "sources.yaml", '["${STRIPE_WEBHOOK_SECRET}"]', "[]", "secrets: []",
     "an empty list", "write at least one"),
    ("source of ours", "sources.yaml", "  vercel:", "  tocsin:", "tocsin:", 'source "tocsin" is built in', "another name"),
    ("unknown setting of a channel", "channels.yaml", "      security: starttls\n", "      securty: starttls\n", "securty",
     'unknown name "securty"', 'did you mean "security"?'),
    ("setting that does not fit", "channels.yaml", "port: 587", "port: 99999", "port: 99999",
     "a value that does not fit", "write 65535 or less"),
    ("unknown setting of a family", "actions.yaml", "team_id", "teamid", "teamid",
     'unknown setting "teamid" of vercel', 'did you mean "team_id"?'),
    # runbooks
    ("diagnosis that changes something", "runbooks/rollback.yaml", "action: vercel.deployments", "action: vercel.promote",
     "vercel.promote", '"vercel.promote" changes something', "move it to remediate"),
    ("verification that changes something", "runbooks/rollback.yaml", "verify:\n  action: http.probe",
     "verify:\n  action: vercel.promote", "action: vercel.promote", '"vercel.promote" changes something', "move it to remediate"),
    ("no way to recover", "runbooks/rollback.yaml", '    recover: "undo: vercel.promote"\n', "", "  - id: rollback",
     '"recover" is missing', "self_healing, irreversible"),
    ("odd way to recover", "runbooks/rollback.yaml", '"undo: vercel.promote"', "pray", "recover: pray",
     '"pray" is no way to recover', "self_healing, irreversible"),
    ("no verification", "runbooks/rollback.yaml", "verify:", "verfy:", None, "", ""),
    ("unknown parameter", "runbooks/rollback.yaml", "count: 3", "cuont: 3", "cuont",
     'unknown name "cuont"', 'did you mean "count"?'),
    ("missing parameter", "runbooks/rollback.yaml", 'to: "{{ deployments.candidate.uid }}"', "", "params: {project:",
     '"to" is missing', "add to"),
    ("parameter that does not fit", "runbooks/rollback.yaml", "count: 3", "count: 300", "count: 300",
     "a value that does not fit", "write 10 or less"),
    ("placeholder of no step", "runbooks/rollback.yaml", "deployments.candidate.uid }}", "deploys.candidate.uid }}",
     "deploys", 'no step "deploys" before it', 'did you mean "deployments"?'),
    ("placeholder of a later step", "runbooks/rollback.yaml", "/api/v2/summary.json",
     '"{{ deployments.url }}"', "deployments.url", 'no step "deployments" before it', "write one of"),
    ("placeholder of no field", "runbooks/rollback.yaml", "to {{ incident.suspect.project }}", "to {{ incident.suspct }}",
     "incident.suspct", 'no "suspct" in incident', 'did you mean "suspect"?'),
    ("half a placeholder", "runbooks/rollback.yaml", "deployments.candidate.uid }}", "deployments.candidate.uid }",
     "candidate.uid }", "braces that are no placeholder", "write {{ name.field }}"),
    ("secret in a step", "runbooks/rollback.yaml", "/api/v2/summary.json", '"/api/v2/summary.json?key=${KEY}"', "${KEY}",
     "a ${NAME} where no secret belongs", "settings of the action's family"),
    ("target that may be missing", "runbooks/rollback.yaml", "{{ incident.service }}", "{{ incident.suspect.project }}",
     "target:", "may be missing when the run starts", "incident.service"),
    ("guard over no step", "runbooks/rollback.yaml", "health.failures >=", "helth.failures >=", "helth",
     'no step "helth" before it', 'did you mean "health"?'),
    ("bad guard", "runbooks/rollback.yaml", ">= `3`", ">= 3", ">= 3", "is no condition", "health.failures == `3`"),
    ("step id used twice", "runbooks/rollback.yaml", "id: vendor", "id: health", None,
     'a second step "health"', "give it another id"),
    ("step id that is taken", "runbooks/rollback.yaml", "id: vendor", "id: incident", "id: incident",
     '"incident" cannot name a step', "not incident, run, now"),
    ("verified for longer than it runs", "runbooks/rollback.yaml", "timeout: 8m", "timeout: 2m", "for: 2m",
     "longer than the whole run may take", "give the run more time"),
    ("deadline too early", "runbooks/rollback.yaml", "deadline: 5m", "deadline: 1m", "deadline: 1m",
     'a deadline before "for" is over', "more time than for"),
    ("bad mode", "runbooks/rollback.yaml", "mode: auto", "mode: automatic", "mode:",
     "'automatic' is text", 'did you mean "auto"?'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "line", "found", "fix"),
    [row[1:] for row in FAULTS],
    ids=[row[0] for row in FAULTS],
)
def test_a_fault_is_told_once_at_its_line_with_its_fix(
    name: str, old: str, new: str, line: str | None, found: str, fix: str
) -> None:
    files = shipped.spoilt(name, old, new)
    told = shipped.faults(files)
    assert {fault.file for fault in told} == {f"config/{name}"}
    matching = [fault for fault in told if found in fault.found and fix in fault.fix]
    assert matching, [str(fault) for fault in told]
    if line is not None:
        text = files[f"config/{name}"].split("\n")
        assert len(told) == 1, [str(fault) for fault in told]
        assert line.rstrip("\n") in text[told[0].line - 1]
        assert 1 <= told[0].column <= len(text[told[0].line - 1])
        assert told[0].path


def test_a_fault_reads_as_one_line_that_editors_can_open() -> None:
    (fault,) = shipped.faults(shipped.spoilt("routes.yaml", "escalation: payments", "escalation: paymints"))
    line = shipped.line_of("routes.yaml", "escalation: payments")
    assert str(fault) == (
        f'config/routes.yaml:{line}:19: route.routes.1.escalation: no escalation policy "paymints"; '
        'did you mean "payments"? (escalation policy names come from config/escalation.yaml)'
    )


@pytest.mark.parametrize("secret", ["sk_live_abcdef", 424242])
def test_no_fault_shows_a_value_that_may_be_secret(secret: object) -> None:
    spoilt = [
        shipped.spoilt("sources.yaml", '["${STRIPE_WEBHOOK_SECRET}"]', f"{secret}"),
        shipped.spoilt("sources.yaml", '["${STRIPE_WEBHOOK_SECRET}"]', f"[[{secret}]]"),
        shipped.spoilt("channels.yaml", '"${TWILIO_ACCOUNT_SID}"', f"{secret}"),
        shipped.spoilt("channels.yaml", '"${TWILIO_ACCOUNT_SID}"', f'"x{secret}${{TWILIO_ACCOUNT_SID}}"'),
        shipped.spoilt("actions.yaml", '    token: "${VERCEL_TOKEN}"', f"  - {secret}"),
    ]
    for files in spoilt:
        told = shipped.faults(files)
        assert told
        assert str(secret) not in "\n".join(str(fault) for fault in told)
