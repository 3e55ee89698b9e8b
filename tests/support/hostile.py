"""What a sender might put into a payload, to lead a step elsewhere."""

from hypothesis import strategies as st

VALUES = [
    "'; drop table sessions; --",
    '" or ""="',
    "$1 or true",
    "$(reboot)",
    "`reboot`",
    "{{ incident.id }}",
    "${HOME}",
    "../../v1/organizations",
    "..",
    "a/b?c=d#e",
    "//evil.example/x",
    "@evil.example",
    "line\nbreak\r\nHost: evil.example",
    "zero\0byte",
    "%2e%2e%2f",
    "zażółć \u202e gęślą",
    "x" * 10_240,
    "",
]
values = st.sampled_from(VALUES) | st.text(max_size=200)
