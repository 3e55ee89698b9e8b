"""Reports of mail servers that a mail was not delivered (RFC 3464), as several of them write such."""

from smtp_standin import Mail

REPORT = """\
From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to tell you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
{envelope}Arrival-Date: Sat, 28 Nov 2026 02:30:00 +0000

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--B
Content-Type: {kind}

{original}
--B--
"""


def report(
    mail: Mail, *, action: str = "failed", status: str = "5.1.1", said: str = "550 5.1.1 no such user",
    by_envelope: bool = True, whole: bool = False,
) -> Mail:  # fmt: skip
    """`by_envelope`: the server knows delivery reports, and names the mail as it was asked to. `whole`: the mail itself
    comes back, not its headers alone.
    """
    headers, _, _ = mail.content.decode().replace("\r\n", "\n").partition("\n\n")
    text = REPORT.format(
        to=mail.sender,
        envelope=f"Original-Envelope-Id: {mail.envelope_id}\n" if by_envelope and mail.envelope_id else "",
        recipient=mail.recipients[0],
        action=action,
        status=status,
        said=said,
        kind="message/rfc822" if whole else "text/rfc822-headers",
        original=mail.content.decode().replace("\r\n", "\n") if whole else headers,
    )
    return letter(text, mail.at)


def letter(text: str, at: int = 0) -> Mail:
    return Mail("", [], text.replace("\n", "\r\n").encode(), at)
