"""The HTML part of a mail: one column that fits a phone, light and dark, every text at least 4.5 to 1 (WCAG AA).

Styles stand inline, as many clients drop a style sheet; those that keep it get the dark colours. No picture and no
script: there is nothing to load and nobody to tell that the mail was read.
"""

from html import escape
from typing import Final

from routing.delivery import Purpose
from routing.incident import Phase
from routing.ports import Notification
from routing.severity import Severity
from workers.text import whole

LIGHT: Final = {
    "back": "#f3f4f6",
    "sheet": "#ffffff",
    "ink": "#1f2937",
    "faint": "#4b5563",
    "line": "#d1d5db",
}
DARK: Final = {"back": "#0b0f14", "sheet": "#161b22", "ink": "#e6edf3", "faint": "#9aa7b4", "line": "#30363d"}
BANDS: Final = {
    Severity.SEV0: "#991b1b",
    Severity.SEV1: "#9a3412",
    Severity.SEV2: "#854d0e",
    Severity.SEV3: "#1e40af",
    Severity.SEV4: "#374151",
}
WELL: Final = "#166534"
"""The band of an incident that is over."""
ON_BAND: Final = "#ffffff"

_KINDS: Final = {Purpose.TEST: "Test", Purpose.NOTICE: "Notice"}
"""What is about no incident is of no severity."""
_FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_DARK_RULES = (
    f".back{{background:{DARK['back']}!important}}"
    f".sheet{{background:{DARK['sheet']}!important;border-color:{DARK['line']}!important}}"
    f".ink{{color:{DARK['ink']}!important}}"
    f".faint{{color:{DARK['faint']}!important}}"
)


def html(notification: Notification, does: str, repeat: str) -> str:
    """Everything of a payload is escaped; the only link is ours. `does`: what it leads to."""
    title, _, rest = whole(notification.message).partition("\n")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(title)}</title>"
        "<style>:root{color-scheme:light dark}"
        f"@media (prefers-color-scheme:dark){{{_DARK_RULES}}}</style></head>"
        f'<body class="back" style="margin:0;padding:0;background:{LIGHT["back"]}">'
        f'<div class="back" style="background:{LIGHT["back"]};padding:16px 8px">'
        f'<div class="sheet" style="max-width:600px;margin:0 auto;background:{LIGHT["sheet"]};'
        f"border:1px solid {LIGHT['line']};border-radius:8px;overflow:hidden;font-family:{_FONT};"
        'font-size:16px;line-height:1.5;overflow-wrap:anywhere">'
        f'{_band(notification)}<div class="ink" style="padding:16px;color:{LIGHT["ink"]}">'
        f"{_paragraph(f'<em>{escape(repeat)}</em>') if repeat else ''}"
        f'<h1 style="margin:0 0 12px;font-size:20px;line-height:1.3">{escape(title)}</h1>'
        f"{''.join(_paragraph(escape(line)) for line in rest.splitlines() if line.strip())}"
        f"{_button(notification, does)}{_foot(notification)}</div></div></div></body></html>"
    )


def _band(notification: Notification) -> str:
    told = [_KINDS.get(notification.purpose, str(notification.severity))]
    if (
        notification.standing and not notification.together
    ):  # of one of several it would say nothing of the others
        told.append(str(notification.standing.phase))
    return (
        f'<div style="background:{_colour(notification)};color:{ON_BAND};padding:10px 16px;font-weight:bold;'
        f'font-size:14px">{escape(" · ".join(told))}</div>'
    )


def _colour(notification: Notification) -> str:
    if notification.purpose in _KINDS:
        return BANDS[Severity.SEV4]
    standing = notification.standing
    over = standing is not None and standing.phase is Phase.RESOLVED and not notification.together
    return WELL if over else BANDS[notification.severity]


def _paragraph(inner: str) -> str:
    return f'<p style="margin:0 0 8px">{inner}</p>'


def _button(notification: Notification, does: str) -> str:
    if not notification.ack_url:
        return ""
    return (
        f'<p style="margin:20px 0"><a href="{escape(notification.ack_url)}" style="display:block;'
        f"background:{_colour(notification)};color:{ON_BAND};padding:14px 20px;border-radius:6px;"
        f'text-align:center;text-decoration:none;font-weight:bold">{escape(does)}</a></p>'
    )


def _foot(notification: Notification) -> str:
    about = [notification.incident, f"delivery {notification.delivery}", "sent by Tocsin"]
    said = ", ".join(each for each in about if each)
    return (
        f'<p class="faint" style="margin:16px 0 0;color:{LIGHT["faint"]};font-size:13px">{escape(said)}</p>'
    )
