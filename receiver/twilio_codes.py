"""Twilio's words for how a call or a message went, as our own, with what can be done about it.

Sources: twilio.com/docs/voice/api/call-resource (CallStatus, AnsweredBy), /docs/messaging/api/message-resource
(MessageStatus), /docs/api/errors (codes).
"""

ANSWERED_BY = {"human": "answered", "machine": "machine", "fax": "machine"}
"""By what stands before the first `_` of AnsweredBy; "unknown" says nothing."""

OPTED_OUT = "opted-out"
_OPTED_OUT_CODE = "21610"

ADVICE = {
    _OPTED_OUT_CODE: "this person has opted out; they must send START to our number",
    "30001": "too many messages were waiting at Twilio",
    "30002": "the Twilio account is suspended",
    "30003": "the phone is off or out of reach",
    "30004": "the number, or its carrier, blocks messages from ours",
    "30005": "the number is unknown or no longer in use; check it in config/oncall.yaml",
    "30006": "a landline, or a carrier that takes no messages from ours; give a mobile number",
    "30007": "the carrier filtered the message: register the sender, or write without links",
    "30008": "the carrier did not say why",
    "30019": "the phone has no room for another message",
    "30022": "too many messages a second for our number",
    "30032": "the toll-free number is not verified with Twilio",
    "30034": "the number is not registered for A2P 10DLC; register it with Twilio",
    "13224": "the number is not valid; check it in config/oncall.yaml",
    "13225": "calls to this number are blocked",
    "13227": "allow calls to this country in Twilio's geographic permissions",
}


def status(word: str, code: str) -> tuple[str, str]:
    """Our word for a status, and its code with advice; "" where there is none."""
    code = code.strip()[:8]
    found = OPTED_OUT if code == _OPTED_OUT_CODE else word
    return found, f"{code}: {ADVICE[code]}" if code in ADVICE else code
