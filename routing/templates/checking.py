"""Every template held against samples, before it goes live: what cannot work is a fault with line and column."""

from collections.abc import Mapping

from routing.delivery import Purpose
from routing.policy import Template
from routing.ports import Notification
from routing.schema.refusal import suggestion
from routing.schema.yaml_marks import Document, Mark
from routing.templates import choosing, samples, wording
from routing.templates.facts import facts
from routing.templates.sandbox import BadTemplate, Compiled, SaysNothing, compiled

_MUST_SAY = frozenset({Purpose.UPDATE.value, Purpose.NOTICE.value, Purpose.TEST.value, choosing.BUNDLE})
"""Kinds whose news stands in the message alone."""


def check(
    templates: Mapping[str, Template], documents: Mapping[str, Document], texts: Mapping[str, str]
) -> None:
    """Refuse in the documents, by names like "templates/sms.page.yaml", whose texts are given too."""
    for template in templates.values():
        file = f"templates/{template.name}.yaml"
        meant = choosing.meant(template.name)
        if meant is not None and file in documents:
            _Check(template, meant, documents[file], texts[file].split("\n")).run()


class _Check:
    def __init__(
        self, template: Template, meant: choosing.Meant, document: Document, lines: list[str]
    ) -> None:
        self._template = template
        self._meant = meant
        self._document = document
        self._lines = lines

    def run(self) -> None:
        for part, text in self._template.parts.items():
            try:
                found = compiled(text, html=part == "html")
            except BadTemplate as error:
                self._refuse(part, error.line, "", error.reason, error.fix or "write it as Jinja does")
                continue
            if self._names_known(part, found) and self._fills(part):
                self._says_enough(part, found)

    def _names_known(self, part: str, found: Compiled) -> bool:
        known = facts(self._samples()[0], self._meant.channel, samples.AT)
        sound = True
        for line, name, inner in found.asked:
            if name not in known:
                self._refuse(part, line, name, f'nothing is called "{name}"', suggestion(name, known))
            elif inner and isinstance(known[name], dict) and inner not in known[name]:
                fix = suggestion(inner, known[name])
                self._refuse(part, line, inner, f'{name} has no "{inner}"', fix)
            else:
                continue
            sound = False
        return sound

    def _fills(self, part: str) -> bool:
        """Where little is known it may say nothing, for the plain message is there; but not ever."""
        empty, found = 0, self._samples()
        for sample in found:
            try:
                wording.fill(self._template, part, facts(sample, self._meant.channel, samples.AT))
            except SaysNothing:
                empty += 1
            except BadTemplate as error:
                fix = error.fix or "write it so that it holds when little is known: {% if ... %}"
                self._refuse(part, error.line, "", error.reason, fix)
                return False
        if empty == len(found):
            self._refuse(part, 1, "", "it says nothing", "write what is to be said, or leave the part out")
        return empty < len(found)

    def _says_enough(self, part: str, found: Compiled) -> None:
        asked = {name for _, name, _ in found.asked}
        if part == "html" and self._meant.kind in {Purpose.PAGE, Purpose.APPROVAL} and "link" not in asked:
            fix = 'write <a href="{{ link }}">Acknowledge</a>, within {% if link %}'
            self._refuse(part, 1, "", "no link to answer with", fix)
        if self._meant.kind in _MUST_SAY and part != "title" and "message" not in asked:
            fix = f"write {{{{ message.{'body' if part == 'html' else part} }}}}"
            self._refuse(part, 1, "", "nothing of what happened, which the message alone tells", fix)

    def _samples(self) -> list[Notification]:
        return samples.samples(self._meant.kind, self._meant.severity)

    def _refuse(self, part: str, line: int, word: str, found: str, fix: str) -> None:
        self._document.refuse(self._mark(part, line, word), (part,), found, fix)

    def _mark(self, part: str, line: int, word: str) -> Mark:
        """Where in the file a line of the part's text stands, and in it the word, or what Jinja begins with."""
        begins = self._document.value_mark((part,))
        opener = self._lines[begins.line - 1][begins.column - 1 :][:1]
        number = begins.line + max(line, 1) - (0 if opener == "|" else 1)
        text = self._lines[number - 1] if number <= len(self._lines) else ""
        if opener == ">" or not text:  # its lines are folded: nobody can tell
            return begins
        places = [text.find(each) for each in ((word,) if word else ("{{", "{%"))]
        first = begins.column - 1 if number == begins.line else len(text) - len(text.lstrip())
        column = min((place for place in places if place >= 0), default=first)
        return Mark(number, column + 1)
