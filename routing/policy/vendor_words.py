"""What vendors' own words for how bad something is mean here, where no rule and no configuration says otherwise.

`WORDS` holds for every vendor, `DIALECTS` what one of them means differently. No word means SEV-0: only a rule calls
something a complete outage. Where a vendor's scale is finer or vaguer than ours the worse one is taken, and every
`warning` is a SEV-2.
"""

from collections.abc import Mapping

from routing.severity import Severity

_BY_SEVERITY = {
    # critical, high, medium, low, info are the names of our own levels too, in the operations runbook's words.
    Severity.SEV1: "critical fatal emergency emerg alert alerting page disaster down high highest major urgent "
    "p0 p1 p2",
    Severity.SEV2: "error err warning warn medium moderate average minor degraded unknown p3",
    Severity.SEV3: "low notice p4",
    Severity.SEV4: "info informational information debug trace none ok normal maintenance lowest p5",
}

WORDS: Mapping[str, Severity] = {
    word: severity for severity, words in _BY_SEVERITY.items() for word in words.split()
}

DIALECTS: Mapping[str, Mapping[str, Severity]] = {
    # learn.microsoft.com, "Common alert schema": Sev0 critical, 1 error, 2 warning, 3 informational, 4 verbose.
    "azure": {f"sev{number}": Severity(max(1, number)) for number in range(5)} | {"verbose": Severity.SEV4},
    # docs.datadoghq.com, "Monitor priority" P1 to P5, and the states of a monitor.
    "datadog": {"no data": Severity.SEV2, "success": Severity.SEV4},
    # docs.github.com: code scanning's note, beside critical, high, medium, low, error, warning.
    "github": {"note": Severity.SEV4},
    # cloud.google.com, "Alert severity": Critical, Error, Warning, No severity; and Cloud Logging's LogSeverity.
    "google_cloud": {"no severity": Severity.SEV2, "default": Severity.SEV2},
    # grafana.com, states of a rule.
    "grafana": {"nodata": Severity.SEV2, "pending": Severity.SEV3},
    # docs.stripe.com, health alerts.
    "stripe": {"non_critical": Severity.SEV2},
    # zabbix.com, "Trigger severity".
    "zabbix": {"not classified": Severity.SEV2},
}


def meaning(vendor: str, said: str) -> Severity | None:
    """The meaning of a word in lower case; None when we do not know it."""
    dialect = DIALECTS.get(vendor)
    if dialect is not None and said in dialect:
        return dialect[said]
    known = WORDS.get(said)
    if known is not None or not said.startswith("sev"):
        return known
    try:
        return max(Severity.SEV1, Severity.parse(said))
    except ValueError:
        return None
