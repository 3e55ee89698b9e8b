"""Mail by SMTP, where TOCSIN_MAIL_PORT says so: taken for sources alone, and never handed on to anybody.

In a thread of its own, for that nothing a mail does may slow the way that vendors take.
"""
