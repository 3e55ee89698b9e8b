"""Types of fields: how durations, severities, matchers, references and ${NAME} are written."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    Strict,
    StringConstraints,
    ValidationInfo,
)

from routing import duration
from routing.instant import DAY
from routing.language import expressions, matchers
from routing.language.matchers import Matcher
from routing.policy import Secret, Setting
from routing.schema import written
from routing.schema.part import known
from routing.schema.refusal import Refusal, refuse_all, shown, suggestion
from routing.schema.written import shown_as
from routing.severity import Severity

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Strict(strict=False)]
Some = Annotated[tuple[T, ...], Strict(strict=False), Field(min_length=1)]

_SEVERITY = re.compile(r"SEV-[0-4]")


def _name(text: str) -> str:
    if not written.NAME.fullmatch(text):
        raise Refusal(f"{shown(text)} is no name", "use lower-case letters, digits, - and _, a letter first")
    return text


def _label(text: str) -> str:
    if not written.LABEL.fullmatch(text):
        raise Refusal(f"{shown(text)} is no label name", "use letters, digits, _ and ., a letter first")
    return text


def _own_label(text: str) -> str:
    if text in written.RESERVED_LABELS:
        raise Refusal(f'label "{text}" is set by the event and its rule', "give the label another name")
    return _label(text)


def _text(text: str) -> str:
    if not text.strip():
        raise Refusal("empty text", "write something, or leave the field out where it is optional")
    return text


def _duration(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise Refusal(f"{value} has no unit", f"write {value}s, {value}m or {value}h")
    return duration.parse(value) if isinstance(value, str) else value


def _positive(ms: int) -> int:
    if ms <= 0:
        raise Refusal("0s is no time at all", "write at least 1s")
    return ms


def whole_days(ms: int) -> int:
    """A length that is counted by the calendar. Raises Refusal."""
    if ms % DAY:
        raise Refusal("no whole number of days", "write it in days or weeks, like 7d or 1w")
    return ms


def positive_duration(value: Any) -> int:
    """Milliseconds of a duration as it is written. Raises Refusal."""
    return _positive(_duration(value))


def severity_field(value: Any) -> Severity:
    text = str(value)
    if isinstance(value, Severity):
        return value
    if not _SEVERITY.fullmatch(text):
        digit = next((letter for letter in text if letter in "01234"), None)
        fix = f"write SEV-{digit}" if digit else "write SEV-0, SEV-1, SEV-2, SEV-3 or SEV-4"
        raise Refusal(f"{shown(value)} is no severity", fix)
    return Severity(int(text[-1]))


def _vendor_severity(severity: Severity) -> Severity:
    if severity is Severity.SEV0:
        fix = "write SEV-1 here, and a rule that matches vendor_severity where it is a complete outage"
        raise Refusal("a vendor's word for SEV-0", fix)
    return severity


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        fix = suggestion(text, available_timezones())
        fix = fix if fix.startswith("did") else 'write an IANA name like "Europe/Warsaw"'
        raise Refusal(f"no time zone {shown(text)}", fix) from error
    return text


def _language(text: str) -> str:
    if not written.SPOKEN.fullmatch(text):
        raise Refusal(f"{shown(text)} is no language", 'write its code, like "pl" or "pl-PL"')
    return text


def _local_time(text: str) -> str:
    fix = "write a local date and time without offset, like 2026-01-05T09:00"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal(f"{shown(text)} is no date and time", fix) from error
    if moment.tzinfo is not None or "T" not in text:
        raise Refusal(f"{shown(text)} has an offset or no time", fix)
    return text


def _url(text: str) -> str:
    if not written.URL.fullmatch(text):
        raise Refusal(f"{shown(text)} is no address", "write it like https://alerts.example.com")
    return text.rstrip("/")


def condition(text: str) -> str:
    try:
        expressions.compiled(text)
    except expressions.BadExpression as error:
        fix = "write a JMESPath condition, like health.failures == `3`"
        raise Refusal(f"{shown(text)} is no condition: {error.reason}", fix) from error
    refuse_all(expressions.pitfalls(text))
    return text


def _matchers(value: Any) -> tuple[Matcher, ...]:
    """Matchers as a text, a list of texts, or a mapping of label to value or values."""
    if isinstance(value, str):
        return matchers.parse_all(value)
    read: list[Matcher] = []
    refusals: list[Refusal] = []
    if not isinstance(value, dict | list) or not value:
        raise Refusal(f"{shown(value)} is no matcher", 'write a list like [kind="SiteDown", severity=~"a|b"]')
    for at, item in value.items() if isinstance(value, dict) else enumerate(value):
        try:
            read.append(_pair(at, item) if isinstance(value, dict) else _single(item))
        except Refusal as refusal:
            refusals.append(Refusal(refusal.found, refusal.fix, (at,)))
    refuse_all(refusals)
    return tuple(read)


def _single(item: Any) -> Matcher:
    if not isinstance(item, str):
        raise Refusal(f"{shown(item)} is no matcher", """write it in single quotes: 'name="value"'""")
    return matchers.parse(item)


def _pair(name: Any, value: Any) -> Matcher:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(each, str) for each in values):
        raise Refusal(f"{shown(value)} is no text", "write the value in quotes, or a list of such")
    return matchers.from_mapping(_label(str(name)), value)


def _setting(value: Any) -> Setting:
    """A value of a vendor's setting; ${NAME} and ${NAME:-default} stand for the environment's.

    Whether it is set is no question here: without its credentials a channel delivers to the sandbox.
    """
    if isinstance(value, dict):
        return {name: _setting(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_setting(each) for each in value]
    if not isinstance(value, str) or "${" not in value:
        return value  # YAML knows no other scalars
    form = written.SECRET.fullmatch(value)
    if form is None:
        raise Refusal("a ${NAME} with something around it", "write nothing but ${NAME} or ${NAME:-default}")
    return Secret(form["name"], form["default"])


def _secret(value: Any, info: ValidationInfo) -> Secret | str:
    found = _setting(value)
    if not isinstance(found, Secret | str) or not found:
        raise Refusal("a secret that is no text", 'write it like "${STRIPE_WEBHOOK_SECRET}"')
    env = known(info).env
    if isinstance(found, Secret) and not found.default and env is not None and not env.get(found.name):
        raise Refusal(
            f"{found.name} is not set", "set it in the environment or in .env: it verifies a source"
        )
    return found


def _reference(kind: str) -> Callable[[str, ValidationInfo], str]:
    return lambda name, info: known(info).check(kind, name)


def _channel(name: str, info: ValidationInfo) -> str:
    """One that reaches somebody."""
    known(info).check("channel", name)
    if name in known(info).pages:
        fix = "write it into status_page of process.yaml, under pages, and another channel here"
        raise Refusal(f'"{name}" leads to a status page, and reaches nobody', fix)
    return name


def _status_page(name: str, info: ValidationInfo) -> str:
    known(info).check("channel", name)
    if name not in known(info).pages:
        fix = "write a channel whose vendor is statuspage or status_page"
        raise Refusal(f'"{name}" leads to no status page', fix)
    return name


Name = Annotated[str, AfterValidator(_name), shown_as(written.NAMED)]
Text = Annotated[str, AfterValidator(_text), shown_as(written.WORDS)]
LabelName = Annotated[str, AfterValidator(_label), shown_as(written.LABEL_NAME)]
Labels = dict[Annotated[str, AfterValidator(_own_label), shown_as(written.OWN_LABEL)], str]
Duration = Annotated[int, BeforeValidator(_duration), shown_as(written.DURATION)]
PositiveDuration = Annotated[
    int, AfterValidator(_positive), BeforeValidator(_duration), shown_as(written.POSITIVE_DURATION)
]
SeverityField = Annotated[Severity, BeforeValidator(severity_field), shown_as(written.SEVERITY)]
VendorSeverities = dict[
    Annotated[str, StringConstraints(to_lower=True)],
    Annotated[SeverityField, AfterValidator(_vendor_severity), shown_as(written.VENDORS_SEVERITY)],
]
Zone = Annotated[str, AfterValidator(_zone), shown_as(written.ZONE)]
Language = Annotated[str, AfterValidator(_language), shown_as(written.LANGUAGE)]
LocalTime = Annotated[str, AfterValidator(_local_time), shown_as(written.LOCAL_TIME)]
Url = Annotated[str, AfterValidator(_url), shown_as(written.ADDRESS)]
Condition = Annotated[str, AfterValidator(condition), shown_as(written.CONDITION)]
Matchers = Annotated[tuple[Matcher, ...], PlainValidator(_matchers), shown_as(written.MATCHERS)]
SettingValue = Annotated[Any, PlainValidator(_setting), shown_as(written.SETTING)]
SecretValue = Annotated[Any, PlainValidator(_secret), shown_as(written.SECRET_VALUE)]

ContactName = Annotated[str, AfterValidator(_reference("contact"))]
TeamName = Annotated[str, AfterValidator(_reference("team"))]
ScheduleName = Annotated[str, AfterValidator(_reference("schedule"))]
ChannelName = Annotated[str, AfterValidator(_channel)]
StatusPageName = Annotated[str, AfterValidator(_status_page)]
PolicyName = Annotated[str, AfterValidator(_reference("escalation policy"))]
HolidaysName = Annotated[str, AfterValidator(_reference("holidays"))]
HoursName = Annotated[str, AfterValidator(_reference("hours"))]
SourceName = Annotated[str, AfterValidator(_reference("source"))]
RunbookName = Annotated[str, AfterValidator(_reference("runbook"))]
SourceVendor = Annotated[str, AfterValidator(_reference("source vendor"))]
ChannelVendor = Annotated[str, AfterValidator(_reference("channel vendor"))]
ActionFamily = Annotated[str, AfterValidator(_reference("action family"))]
ServiceName = Annotated[str, AfterValidator(_reference("service"))]
ActionName = Annotated[str, AfterValidator(_reference("action"))]
