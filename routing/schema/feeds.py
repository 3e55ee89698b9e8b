"""`feed` of a schedule: the calendar it follows."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from routing.instant import DAY, HOUR, MINUTE
from routing.policy import Feed, Secret
from routing.schema.fields import ContactName, Many, PositiveDuration, SettingValue, Text
from routing.schema.part import Part
from routing.schema.refusal import Refusal, shown
from routing.schema.written import SECRET, Form, ecma, shown_as

_ADDRESS = re.compile(r"(?:https?|webcal)://[^\s/]+/\S*")
_WRITTEN: Form = {
    "type": "string",
    "pattern": f"^(?:{ecma(_ADDRESS)}|{ecma(SECRET)})$",
    "examples": ["${ONCALL_FEED}"],
}
LONGEST_DAYS = 366


def _address(value: Any) -> Secret | str:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        fix = 'write it like https://calendar.example.com/basic.ics, or "${ONCALL_FEED}" where it is a secret'
        raise Refusal(f"{shown(value)} is no address of a calendar", fix)
    return value


def _seldom(ms: int) -> int:
    if ms < MINUTE:
        raise Refusal("more than once a minute", "write 1m or more")
    return ms


def _near(ms: int) -> int:
    if ms > LONGEST_DAYS * DAY:
        raise Refusal(f"more than {LONGEST_DAYS} days ahead", f"write {LONGEST_DAYS}d or less")
    return ms


class FeedPart(Part):
    url: Annotated[SettingValue, AfterValidator(_address), shown_as(_WRITTEN)] = Field(
        description='address of an iCalendar file, like "${ONCALL_FEED}"'
    )
    every: Annotated[PositiveDuration, AfterValidator(_seldom)] = Field(
        default=HOUR, description="how often it is looked at, like 1h"
    )
    for_: Annotated[PositiveDuration, AfterValidator(_near)] = Field(
        default=90 * DAY, alias="for", description="how far ahead it is read, like 90d"
    )
    names: dict[Text, ContactName] = Field(default={}, description="whose a title is, like {Anna K.: anna}")
    skip: Many[Text] = Field(default=(), description="titles of what is no shift")
    exclusive: bool = Field(default=False, description="nobody is on call between its shifts")

    def built(self) -> Feed:
        return Feed(self.url, self.every, self.for_, tuple(self.names.items()), self.skip, self.exclusive)
