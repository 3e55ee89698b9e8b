"""Each fault of the configuration alone: told once, at its line, with what to write instead."""

import pytest
import shipped
from jsonschema import Draft202012Validator

from routing.json_schema import file_of, json_schema
from routing.schema.yaml_marks import read

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
    ("unknown last resort", "tocsin.yaml", "contact: cto", "contact: cfo", "contact: cfo",
     'no contact "cfo"', 'did you mean "cto"?'),
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
    ("two rules of one name", "severity.yaml", "name: slow\n", "name: errors\n", "name: errors",
     'a second rule "errors"', "give it another name"),
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
    ("half an hour's turn", "oncall.yaml", "every: 1w", "every: 90m", "every: 90m",
     "no whole number of hours", "like 12h, 1d, 2w or monthly"),
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
    ("a day with a space", "calendar.yaml", "mon-fri 09:00-17:00", "mo n 09:00-17:00", "mo n",
     "no day 'mo n'", 'did you mean "mon"?'),
    ("half a day's sprint", "calendar.yaml", "every: 2w", "every: 36h", "every: 36h",
     "no whole number of days", "like 7d or 1w"),
    ("empty rotation", "oncall.yaml", "contacts: [anna, ben]", "contacts: []", "contacts: []",
     "an empty list", "write at least one"),
    # noise
    ("hours for maintenance", "noise.yaml", "flapping:", 'maintenance: [{name: b, match: [a="b"], hours: nights, reason: r}]\nflapping:',
     "nights", 'no hours "nights"', "write one of working"),
    ("a correlation twice", "noise.yaml", "dependencies:", '  - {name: database-trouble, parent: [a="b"], child: [a="c"], within: 1m}\ndependencies:',
     "{name: database-trouble", 'a second correlation "database-trouble"', "give it another name"),
    ("an open end", "noise.yaml", "    within: 15m\n", "", "name: database-trouble",
     '"within" is missing', "like 10m"),
    ("flapping at two changes", "noise.yaml", "changes: 6", "changes: 2", "changes: 2",
     "2 is a number", "write 3 or more"),
    ("flapping in a word", "noise.yaml", "{changes: 6, within: 30m, steady: 15m}", "never", "never",
     "'never' is text", "write a mapping"),
    ("too mild to be at once", "routes.yaml", "reopen: 30m", "reopen: 30m\n  at_once: SEV-2", "SEV-2",
     "SEV-2 may wait for its group", "write SEV-1"),
    ("a fleeting fingerprint", "sources.yaml", "vendor: alertmanager", "vendor: alertmanager\n    fingerprint: [status]",
     "[status]", 'label "status" changes while an alert lasts', "labels that stay"),
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
    ("threshold in two ways", "severity.yaml", "count: 20", "count: 20\n    distinct: customer\n    rate: {times: 3}",
     "name: payments-failing", "distinct and rate together", "write one of them, or a second threshold"),
    ("distinct of what is counted by", "severity.yaml", "count: 20", "count: 20\n    by: [customer]\n    distinct: customer",
     "distinct: customer", "each customer counted on its own has one value of it", "or leave it out of by"),
    ("rate that is none", "severity.yaml", "count: 20", "count: 20\n    rate: {times: 1}", "times: 1",
     "1 is a number", "write more than 1"),
    ("rate against more than is kept", "severity.yaml", "count: 20", "count: 20\n    rate: {times: 2, windows: 51}",
     "windows: 51", "51 is a number", "write 50 or less"),
    ("rate in quotes", "severity.yaml", "count: 20", 'count: 20\n    rate: {times: "3"}', "times:",
     "'3' is text", "write a number"),
    ("ratio that is true", "severity.yaml", "count: 20", "count: 20\n    ratio: {percent: true, match: ['kind=\"x\"']}",
     "percent:", "True is true or false", "write a number"),
    ("ratio without its other kind", "severity.yaml", "count: 20", "count: 20\n    ratio: {percent: 20}",
     "ratio:", '"match" is missing', "add match: the other kind"),
    ("ratio of more than all", "severity.yaml", "count: 20",
     "count: 20\n    ratio: {percent: 120, match: ['kind=\"x\"']}", "percent: 120", "120 is a number", "or less"),
    ("unknown field of a threshold", "severity.yaml", "count: 20", "count: 20\n    distnct: customer", "distnct",
     "distnct", "distinct"),
    ("absence by unknown hours", "severity.yaml", "absences:\n",
     "absences:\n  - {name: b, match: ['kind=\"b\"'], within: 1h, severity: SEV-2, title: B, inside: workin}\n",
     "workin", 'no hours "workin"', 'did you mean "working"?'),
    ("absence without a time", "severity.yaml", "absences:\n",
     "absences:\n  - {name: b, match: ['kind=\"b\"'], severity: SEV-2, title: B}\n",
     "name: b", '"within" is missing', "add within: how long it may take, like 25h"),
    ("absence after itself", "severity.yaml", "absences:\n",
     "absences:\n  - {name: b, match: ['kind=\"b\"'], after: ['kind=\"b\"'], within: 1h, severity: SEV-2, title: B}\n",
     "after:", "it is expected after itself", "or leave after out"),
    ("two absences of one name", "severity.yaml", "absences:\n",
     "absences:\n" + "  - {name: b, match: ['kind=\"b\"'], within: 1h, severity: SEV-2, title: B}\n" * 2,
     "name: b", 'a second absence "b"', "give it another name"),
    ("one of several", "severity.yaml", "handling: deploy", "handling: deployment", "deployment\n",
     "'deployment' is text", 'did you mean "deploy"?'),
    ("no unit", "tocsin.yaml", "retire_after: 7d", "retire_after: 7", "retire_after: 7",
     "7 has no unit", "write 7s, 7m or 7h"),
    ("bad duration", "tocsin.yaml", "60m", "1hour", "1hour", "'1hour' is not a duration", "like 90s, 5m, 1h30m"),
    ("no time at all", "escalation.yaml", "wait: 4h", "wait: 0s", "wait: 0s", "0s is no time at all", "at least 1s"),
    ("bad severity", "severity.yaml", "severity: SEV-3", "severity: SEV3", "SEV3",
     "'SEV3' is no severity", "write SEV-3"),
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
    ("unknown field deep down", "escalation.yaml", "wait: 10m}\n    repeat", "wait: 10m, pause: x}\n    repeat", "pause: x",
     'unknown field "pause"', "write one of delay, notify, until, wait, when"),
    ("field of another kind of route", "routes.yaml", "reopen: 30m", "reopen: 30m\n  continue: true", "continue",
     'unknown field "continue"', "write one of at_once, escalation, group_by"),
    ("missing field", "severity.yaml", "    count: 20\n", "", "name: payments-failing",
     '"count" is missing', "add count: how many events, like 20"),
    ("duplicate key", "tocsin.yaml", "max_running: 3", "max_running: 3\nmax_running: 4", "max_running: 4",
     'duplicate key "max_running", first on line', "keep one of the two"),
    ("anchor", "tocsin.yaml", "max_running: 3", "max_running: &n 3", "&n", "anchor &n", "remove it"),
    # levels
    ("SEV-0 that waits", "tocsin.yaml", "resolve: 1h,", "resolve: 1h, hold: 5m,", "hold: 5m",
     "a hold of 5m for SEV-0", "SEV-0 never waits"),
    ("sprint nobody knows the end of", "tocsin.yaml", "resolve: next sprint", "resolve: last sprint", "last sprint",
     "'last sprint' is not a duration", "write it with units"),
    ("warning at no part of a time", "tocsin.yaml", "warn_at: 80%", "warn_at: 100%", "100%",
     "'100%' is no part of a time", "write 10% to 99%"),
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
    # severities
    ("matrix with a hole", "severity.yaml", "some: SEV-3, few: SEV-3,", "few: SEV-3,", "minor:",
     '"some" is missing', "add some: a severity, as the other rows have"),
    ("empty matrix", "severity.yaml", "  cosmetic: {", "  cosmetic: [x]\n  none: {", "cosmetic: [x]",
     "a list", "write a mapping"),
    ("scope that is none", "severity.yaml", "scope: partial", "scope: parital", "parital",
     '"parital" is not in the matrix', 'did you mean "partial"?'),
    ("number without a mapping to words", "severity.yaml", "affects: everyone", "affects: 3", "affects: 3",
     "3 is no impact", "write a word of the matrix"),
    ("band that is no number", "severity.yaml", "affects: everyone",
     "affects: {value: event.details.users, bands: {lots: many}}", "lots",
     "'lots' is no number", "write the least number of the band"),
    ("band that is not finite", "severity.yaml", "affects: everyone",
     "affects: {value: event.details.users, bands: {nan: many}}", "nan",
     "'nan' is no number", "write the least number of the band"),
    ("band that leads out of the matrix", "severity.yaml", "affects: everyone",
     "affects: {value: event.details.users, bands: {10: lots, 1: few}}", "lots",
     '"lots" is not in the matrix', "write one of everyone, few, many, nobody, some"),
    ("impact of nothing", "severity.yaml", "affects: everyone", "affects: {value: users}", "users",
     'no "users" to ask about', "write event."),
    ("severity and impact", "severity.yaml", "    scope: partial\n", "    scope: partial\n    severity: SEV-2\n", "name: mail-failing",
     "both a severity and an impact", "write severity, or scope and affects"),
    ("tier of no service", "severity.yaml", "4: nobody", "5: nobody", "5: nobody", 'no tier "5"', "write 1, 2, 3 or 4"),
    ("tier that leads out of the matrix", "severity.yaml", "4: nobody", "4: nobdy", "nobdy",
     '"nobdy" is not in the matrix', 'did you mean "nobody"?'),
    ("vendor's word for an outage", "severity.yaml", "default: SEV-2\n", "default: SEV-2\nvendor_severity: {critical: SEV-0}\n",
     "vendor_severity", "a vendor's word for SEV-0", "write SEV-1 here, and a rule"),
    ("sender's word for an outage", "sources.yaml", "    vendor: alertmanager\n",
     "    vendor: alertmanager\n    vendor_severity: {page: SEV-0}\n", "page: SEV-0",
     "a vendor's word for SEV-0", "write SEV-1 here, and a rule"),
    ("adjustment of nothing", "severity.yaml", "thresholds:\n",
     "adjustments:\n  - {name: night, match: ['team=\"x\"'], outside: working}\nthresholds:\n", "name: night",
     "neither raise nor lower", "write one of the two"),
    ("adjustment by unknown hours", "severity.yaml", "thresholds:\n",
     "adjustments:\n  - {name: night, match: ['team=\"x\"'], outside: workin, lower: 1}\nthresholds:\n", "workin",
     'no hours "workin"', 'did you mean "working"?'),
    ("promotion for nothing", "severity.yaml", "services: 3, to: SEV-1", "to: SEV-1", "many-services",
     "nothing that would raise it", "write after: 1h, alerts: 100 or services: 5"),
    ("promotion that lowers", "severity.yaml", "services: 3, to: SEV-1", "services: 3, to: SEV-3", "many-services",
     "SEV-2 raised to SEV-3", "only a person lowers an incident"),
    ("promotion by more names than are kept", "severity.yaml", "services: 3", "services: 50", "services: 50",
     "50 is a number", "write less than 50"),
    ("two promotions of one name", "severity.yaml", "name: many-alerts", "name: many-services", "alerts: 100",
     'a second promotion "many-services"', "give it another name"),
    ("condition of no language", "severity.yaml", "    team: platform\n",
     "    team: platform\n    when: {rego: x}\n", "rego:", "is no condition", "or {cel: ...}"),
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
    ("program without a path", "actions.yaml", "programs: {}", "programs: {sync: {reads: true}}", "sync",
     '"path" is missing', "add path"),
    ("unknown member of a program", "actions.yaml", "programs: {}", "programs: {sync: {path: /bin/x, shell: true}}", "shell",
     'unknown name "shell"', "leave it out"),
    ("program that is not named by its whole path", "actions.yaml", "programs: {}",
     'programs: {sync: {path: bin/x, env: {A: "${A}"}}}', "path: bin/x", "a value that does not fit", "^/"),
    ("exit status that means nothing", "actions.yaml", "programs: {}", "programs: {sync: {path: /bin/x, exits: {3: fine}}}",
     "fine", "a value that does not fit", "write one of"),
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
        f'config/routes.yaml:{line}:19: route.routes.0.escalation: no escalation policy "paymints"; '
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


OF_MEANING = {
    "unknown contact", "unknown schedule", "unknown channel", "unknown policy", "unknown policy to follow",
    "unknown person in a rotation", "unknown last resort", "unknown method", "unknown service", "cyclic policy",
    "policy that follows itself", "services that need each other", "service that needs itself",
    "two routes of one name", "two rules of one name", "updates that ring", "bad time zone", "half an hour's turn",
    "unknown holidays", "a holiday twice", "half a day's sprint", "hours for maintenance", "a correlation twice",
    "threshold in two ways", "distinct of what is counted by", "absence by unknown hours", "absence after itself",
    "two absences of one name", "SEV-0 that waits", "unbalanced quote", "bad regular expression",
    "stalling regular expression", "bad condition", "condition over nothing", "condition with an unknown function",
    "condition with a loose !", "matrix with a hole", "scope that is none", "band that leads out of the matrix",
    "impact of nothing", "severity and impact", "tier that leads out of the matrix", "adjustment of nothing",
    "adjustment by unknown hours", "promotion for nothing", "promotion that lowers", "two promotions of one name",
    "setting that does not fit", "parameter that does not fit", "placeholder of no step",
    "placeholder of a later step", "placeholder of no field", "half a placeholder", "secret in a step",
    "target that may be missing", "guard over no step", "bad guard", "step id used twice",
    "verified for longer than it runs", "deadline too early",
}  # fmt: skip
"""Rows whose shape is good: that they are wrong takes more than their file, or more than its grammar."""


@pytest.mark.parametrize(
    ("row", "name", "old", "new"), [row[:4] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_a_fault_of_shape_is_refused_by_the_schema_too(row: str, name: str, old: str, new: str) -> None:
    document = read(name, shipped.spoilt(name, old, new)[f"config/{name}"])
    file = file_of(name)
    assert file is not None
    fits = Draft202012Validator(json_schema(file, shipped.vendors())).is_valid(document.data)
    # What is no YAML of ours never becomes data: an editor's own YAML says so.
    assert document.faults or fits == (row in OF_MEANING)
