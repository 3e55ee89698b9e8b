"""Inhibition: one alert mutes another while it fires, by Alertmanager's rules.

An alert that matches both sides of a rule cannot be inhibited by another that does, so by itself neither.
Source: Alertmanager, "Configuration: inhibition-related settings".
"""

from collections.abc import Mapping

from routing.alerts.live import is_live
from routing.draft import Draft
from routing.incident import Alert
from routing.language.matchers import all_match
from routing.noise.mute import Mute
from routing.policy import Relation, Tie
from routing.reason import Reason


def covering(draft: Draft, labels: Mapping[str, str]) -> Mute | None:
    """The first rule by which a firing alert inhibits these labels."""
    for rule in draft.policy.noise.by_target.matching(labels):
        if rule.tie is Tie.INHIBITS and (source := _source(draft, rule, labels)) is not None:
            same = ", ".join(f"{name}={labels.get(name, '')!r}" for name in rule.equal)
            text = f"inhibited by {source.title} of {source.incident}, which fires" + (
                f" with the same {same}" if same else ""
            )
            reason = Reason(text=text, rule=f"inhibition {rule.name}", origin=str(rule.origin))
            return Mute(rule.key, 0, reason)
    return None


def ended(draft: Draft, alert: Alert) -> list[str]:
    """What this alert may have inhibited while it fired: keys of mutes that are to be looked at again."""
    rules = draft.policy.noise.by_source.matching(alert.labels)
    return [rule.key for rule in rules if rule.tie is Tie.INHIBITS]


def _source(draft: Draft, rule: Relation, labels: Mapping[str, str]) -> Alert | None:
    standing = draft.state.standing
    both = all_match(rule.source, labels)
    for mark in (standing.only_sources if both else standing.sources)(rule, labels):
        alert = draft.alert(mark)
        if alert is not None and is_live(draft, alert):
            return alert
    return None
