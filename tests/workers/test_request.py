"""http.request: any method, assertions on the answer, and a host that no payload can choose."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import shipped
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from vendor_server import Asked, Misbehaviour, Reply, VendorServer

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import http


def echo(asked: Asked) -> Reply:
    """Says what it was asked."""
    if asked.path == "/moved":
        return Reply(302, {}, {"Location": "http://169.254.169.254/latest/meta-data"})
    if asked.path == "/plain":
        return Reply(200, b"just text")
    return Reply(
        200, {"method": asked.method, "path": asked.path, "body": asked.body.decode(), "cache": {"left": 0}}
    )


@pytest.fixture
def server() -> Iterator[VendorServer]:
    with VendorServer(echo) as vendor:
        yield vendor


def step(server: VendorServer, timeout_s: float = 5.0, **changes: Any) -> Step:
    found = {"base_url": server.url, "allow_private": "true"}
    fields = {"settings": found, "idempotency_key": "", "now": 0, **changes}
    return Step(timeout_s=timeout_s, **fields)


def ask(
    server: VendorServer, path: str = "/api/cache", at: Step | None = None, **params: Any
) -> dict[str, Any]:
    return http.request(at or step(server), http.Request.model_validate({"path": path, **params}))


def failure(
    server: VendorServer, path: str = "/api/cache", at: Step | None = None, **params: Any
) -> ActionError:
    with pytest.raises(ActionError) as failed:
        ask(server, path, at, **params)
    return failed.value


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_any_method_is_sent_below_the_site(server: VendorServer, method: str) -> None:
    found = ask(server, method=method)
    assert (found["ok"], found["status"], found["json"]["method"]) == (True, 200, method)
    assert server.calls[0].path == "/api/cache"


def test_json_forms_queries_and_headers_arrive(server: VendorServer) -> None:
    ask(
        server,
        method="POST",
        json={"all": True},
        query={"q": "a&b=c"},
        headers={"X-Reason": "cache is stale"},
    )
    ask(server, method="POST", form={"all": "a&b=c"})
    first, second = server.calls
    assert (json.loads(first.body), first.query, first.headers["x-reason"]) == (
        {"all": True},
        {"q": ["a&b=c"]},
        "cache is stale",
    )
    assert second.form == {"all": "a&b=c"}


def test_what_is_no_json_is_told_as_text(server: VendorServer) -> None:
    found = ask(server, "/plain")
    assert (found["json"], found["text"]) == (None, "just text")


def test_another_host_of_the_runbook_file_may_be_asked(server: VendorServer) -> None:
    elsewhere = step(server, settings={"base_url": "http://127.0.0.1:1", "allow_private": "true"})
    assert ask(server, at=elsewhere, base=server.url)["ok"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"expect_status": [204, 404]}, "answered 200, expected 204, 404"),
        ({"expect": "json.cache.left > `0`"}, "does not hold"),
        ({"expect": "status == `201`"}, "does not hold"),
        ({"max_ms": 1}, "more than 1"),
    ],
)
def test_an_answer_that_is_not_as_expected_fails_for_good(
    server: VendorServer, params: dict[str, Any], said: str
) -> None:
    server.misbehave(Misbehaviour(delay_s=0.02))
    failed = failure(server, **params)
    assert (failed.outcome, said in str(failed)) == (Outcome.PERMANENT, True), str(failed)


def test_an_answer_as_expected_is_a_success_whatever_its_status(server: VendorServer) -> None:
    server.misbehave(Misbehaviour(status=404))
    assert ask(server, expect_status=[404], expect="json.error")["status"] == 404
    assert ask(server, expect="json.cache.left == `0` && ms < `4000`")["ok"]


def test_no_redirect_is_followed(server: VendorServer) -> None:
    failed = failure(server, "/moved")
    assert (failed.outcome, "not followed" in str(failed)) == (Outcome.PERMANENT, True)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=429, retry_after="9"), Outcome.TEMPORARY),
        (Misbehaviour(status=503), Outcome.TEMPORARY),
        (Misbehaviour(status=504), Outcome.UNKNOWN),
        (Misbehaviour(status=401), Outcome.PERMANENT),
        (Misbehaviour(hang_up=True), Outcome.UNKNOWN),
        (Misbehaviour(delay_s=30), Outcome.UNKNOWN),
    ],
    ids=["429", "503", "504", "401", "hangs up", "30 s"],
)
def test_every_refusal_has_its_class(server: VendorServer, how: Misbehaviour, outcome: Outcome) -> None:
    server.misbehave(how)
    failed = failure(server, at=step(server, 0.5 if how.delay_s else 5.0), method="POST")
    assert (failed.outcome, failed.retry_after_ms) == (outcome, 9_000 if how.retry_after else 0)


def test_a_key_is_sent_where_the_site_knows_such_a_header(server: VendorServer) -> None:
    params: dict[str, Any] = {"method": "POST", "idempotency_header": "Idempotency-Key", "json": {"a": 1}}
    ask(server, at=step(server, idempotency_key="INC-1-r1"), **params)
    ask(server, **params)
    ask(server, **params)
    ask(server, **{**params, "json": {"a": 2}})
    keys = [call.headers["idempotency-key"] for call in server.calls]
    assert keys[0] == "INC-1-r1"
    assert keys[1] == keys[2]
    assert len(set(keys)) == 3


def test_permission_is_asked_for_right_before(server: VendorServer) -> None:
    assert failure(server, at=step(server, allowed=lambda: False)).outcome is Outcome.REFUSED
    assert server.calls == []


def test_private_addresses_are_refused_unless_they_are_allowed(server: VendorServer) -> None:
    refused = failure(server, at=step(server, settings={"base_url": server.url}))
    assert (refused.outcome, server.calls) == (Outcome.REFUSED, [])


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["//evil.example/x", "@evil.example/", "\\\\evil.example", "/../../x", "/%2e%2e/x", "/x\r\nHost: evil.example",
                     "/?next=http://evil.example", "/#@evil.example", "http://evil.example", "/$(id)", "/{{ x }}", "/;/..;/x"]),
)  # fmt: skip


@examples(60)
@given(value=HOSTILE)
def test_whatever_a_payload_puts_into_the_path_only_the_site_is_asked(value: str) -> None:
    asked: list[Asked] = []

    def keep(one: Asked) -> Reply:
        asked.append(one)
        return Reply()

    with VendorServer(keep) as site:
        try:
            ask(site, f"/api/{value}")
        except (ActionError, ValueError):
            assert asked == []
        else:
            assert asked[0].headers["host"] == site.url.removeprefix("http://")
            assert asked[0].path.startswith("/api/")


@pytest.mark.parametrize(
    "path", ["x", "", "//a/../b", "/a/../b", "/a/..", "/%2E%2e/b", "/a\\b", "/a b", "/a\nb"]
)
def test_a_path_cannot_climb(server: VendorServer, path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        ask(server, path)


@pytest.mark.parametrize(
    "base",
    ["http://a.example/x", "http://u@a.example", "ftp://a.example", "a.example", "http://a\\b", "https://"],
)
def test_a_base_is_a_host_and_nothing_else(server: VendorServer, base: str) -> None:
    with pytest.raises(ValueError, match="base"):
        ask(server, base=base)


@pytest.mark.parametrize(
    "header",
    [{"Host": "evil.example"}, {"Content-Length": "1"}, {"X": "a\r\nY: b"}, {"X Y": "a"}, {"X": "\u017c"}],
)
def test_headers_that_are_not_ours_to_set_are_refused(server: VendorServer, header: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="header"):
        ask(server, headers=header)


def test_a_body_is_json_or_a_form_and_a_query_stands_in_one_place(server: VendorServer) -> None:
    with pytest.raises(ValueError, match="not both"):
        ask(server, json={}, form={})
    with pytest.raises(ValueError, match="in path or in query"):
        ask(server, "/a?b=c", query={"d": "e"})


def test_a_condition_that_cannot_be_read_is_refused_before(server: VendorServer) -> None:
    with pytest.raises(ValueError, match="expect"):
        ask(server, expect="json.(")


def test_a_host_that_a_placeholder_would_choose_does_not_go_live() -> None:
    told = shipped.faults(
        shipped.spoilt(
            "runbooks/rollback.yaml",
            '    action: vercel.rollback\n    params: {project: "{{ incident.suspect.project }}", to: "{{ deployments.candidate.uid }}"}',
            '    action: http.request\n    params: {base: "https://{{ incident.service }}", path: "/{{ incident.id }}"}',
        )
    )
    assert [(fault.found, fault.fix) for fault in told] == [
        ("a placeholder in base", "write it out: nothing that happened may choose it")
    ]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ('action: http.probe\n    params: {url: "https://{{ incident.service }}/x"}', "the host of url"),
        (
            'action: http.probe\n    params: {url: "https://site.example{{ incident.service }}/x"}',
            "the host of url",
        ),
        ('action: http.get_json\n    params: {url: "{{ incident.labels.link }}"}', "the host of url"),
        (
            'action: vendor_status.summary\n    params: {url: "https://x@{{ incident.service }}/"}',
            "the host of url",
        ),
        ('action: pagespeed.audit\n    params: {url: "https:/{{ incident.service }}"}', "the host of url"),
        ('action: tls.certificate\n    params: {host: "{{ incident.service }}"}', "host"),
        ('action: tcp.connect\n    params: {host: "{{ incident.service }}", port: 443}', "host"),
    ],
)
def test_neither_does_one_that_a_look_would_be_led_by(step: str, said: str) -> None:
    old = "action: vendor_status.summary\n    params: {url: /api/v2/summary.json}"
    told = shipped.faults(shipped.spoilt("runbooks/rollback.yaml", old, step))
    assert [(fault.found, fault.fix) for fault in told] == [
        (f"a placeholder in {said}", "write it out: nothing that happened may choose it")
    ]


def test_a_path_below_a_host_that_is_written_out_may_be_filled() -> None:
    old = "params: {url: /api/v2/summary.json}"
    for url in ("/{{ incident.service }}", "https://site.example/{{ incident.service }}?x={{ incident.id }}"):
        assert (
            shipped.faults(shipped.spoilt("runbooks/rollback.yaml", old, f'params: {{url: "{url}"}}')) == ()
        )


def test_a_dry_run_says_what_it_would_ask(server: VendorServer) -> None:
    plan = http.ACTIONS["request"].plan
    assert plan
    planned = plan(step(server), http.Request(path="/api/x", method="DELETE"))
    assert planned["would"] == {"method": "DELETE", "url": f"{server.url}/api/x"}
    assert server.calls == []


def test_a_closed_port_may_be_tried_again(server: VendorServer) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert (
            failure(server, base=f"http://127.0.0.1:{closed.getsockname()[1]}").outcome is Outcome.TEMPORARY
        )
