"""What is said on the phone besides the message itself: which keys there are, and what became of one.

By language; a language that is not here is answered in English. What alerts and people wrote is not translated.
"""

from dataclasses import dataclass

from routing.entry import Verb


@dataclass(frozen=True, slots=True)
class Phrases:
    """`locale` is how a text-to-speech engine names the language. `{who}` is a contact's title."""

    locale: str
    keys: str
    decide: str
    """Added where a repair waits for an approval of whoever is called."""
    repeat: str
    elsewhere: str
    """Where no key can be listened for."""
    unknown: str
    silent: str
    taken: str
    over: str
    done: dict[Verb, str]


_ENGLISH = Phrases(
    locale="en-US",
    keys="Press 4 to acknowledge, 6 to resolve, 5 to escalate.",
    decide="A repair waits for your approval. Press 1 to approve it, 2 to deny it.",
    repeat="This may be a repeat of an earlier call.",
    elsewhere="Acknowledge it in Tocsin.",
    unknown="That key means nothing here.",
    silent="No key was pressed. The incident stays open. Goodbye.",
    taken="{who} has it already.",
    over="It is resolved already.",
    done={
        Verb.ACK: "Thank you. The incident is acknowledged. It is yours now.",
        Verb.RESOLVE: "Thank you. The incident is marked as resolved.",
        Verb.ESCALATE: "Understood. The next person is being called.",
        Verb.APPROVE: "Thank you. Approved. The repair goes on once everyone it needs has approved.",
        Verb.DENY: "Understood. Denied. The repair is not done.",
    },
)
_POLISH = Phrases(
    locale="pl-PL",
    keys="Naciśnij 4, aby potwierdzić, 6, aby zamknąć, 5, aby przekazać dalej.",
    decide="Naprawa czeka na twoją zgodę. Naciśnij 1, aby się zgodzić, 2, aby odmówić.",
    repeat="To może być powtórzenie wcześniejszego połączenia.",
    elsewhere="Potwierdź w systemie Tocsin.",
    unknown="Ten klawisz nic tu nie znaczy.",
    silent="Nie naciśnięto żadnego klawisza. Incydent pozostaje otwarty. Do usłyszenia.",
    taken="Już się tym zajmuje {who}.",
    over="Incydent jest już zamknięty.",
    done={
        Verb.ACK: "Dziękuję. Incydent potwierdzony. Teraz należy do ciebie.",
        Verb.RESOLVE: "Dziękuję. Incydent oznaczony jako zamknięty.",
        Verb.ESCALATE: "Rozumiem. Dzwonimy do następnej osoby.",
        Verb.APPROVE: "Dziękuję. Zgoda zapisana. Naprawa ruszy, gdy zgodzą się wszyscy, którzy muszą.",
        Verb.DENY: "Rozumiem. Odmowa zapisana. Naprawa nie zostanie wykonana.",
    },
)
_GERMAN = Phrases(
    locale="de-DE",
    keys="Drücken Sie 4 zum Bestätigen, 6 zum Schließen, 5 zum Weitergeben.",
    decide="Eine Reparatur wartet auf Ihre Zustimmung. Drücken Sie 1 zum Zustimmen, 2 zum Ablehnen.",
    repeat="Dies ist möglicherweise die Wiederholung eines früheren Anrufs.",
    elsewhere="Bestätigen Sie es in Tocsin.",
    unknown="Diese Taste hat hier keine Bedeutung.",
    silent="Es wurde keine Taste gedrückt. Die Störung bleibt offen. Auf Wiederhören.",
    taken="{who} kümmert sich bereits darum.",
    over="Die Störung ist bereits behoben.",
    done={
        Verb.ACK: "Danke. Die Störung ist bestätigt. Sie gehört jetzt Ihnen.",
        Verb.RESOLVE: "Danke. Die Störung ist als behoben vermerkt.",
        Verb.ESCALATE: "Verstanden. Die nächste Person wird angerufen.",
        Verb.APPROVE: "Danke. Zugestimmt. Die Reparatur läuft weiter, sobald alle Nötigen zugestimmt haben.",
        Verb.DENY: "Verstanden. Abgelehnt. Die Reparatur unterbleibt.",
    },
)
PHRASES = {"en": _ENGLISH, "pl": _POLISH, "de": _GERMAN}
"""By the language's code, without a country."""


def phrases(language: str) -> Phrases:
    """Those of "pl", "pl-PL" or "PL_pl"; English where there are none."""
    return PHRASES.get(language.replace("_", "-").partition("-")[0].lower(), _ENGLISH)
