"""Signing in through a provider in a real browser: there and back, and out again."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from oidc_standin import CLIENT, SECRET, OidcStandin
from scene import Scene

from console.trust.acts import Role
from console.trust.grants import Grants
from console.trust.oidc.provider import Provider
from console.trust.oidc.settings import OidcSettings
from ledger import accounts

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]

try:
    from touring import touring
except ImportError:  # a checkout whose development packages are older
    pytest.skip("no browser is installed", allow_module_level=True)


@pytest.fixture
def provider(scene: Scene) -> Iterator[OidcStandin]:
    """At a name of its own, so that it is another site to the browser."""
    site, before = scene.seen.site, scene.seen.site.settings
    with OidcStandin(f"{scene.seen.url}/oidc/callback") as found:
        found.url, found.asks = found.url.replace("127.0.0.1", "localhost"), True
        found.person |= {"preferred_username": "olga"}  # nobody whom other tests have let in
        grants = {"sre": Grants(Role.RESPONDER)}
        settings = OidcSettings(found.url, CLIENT, SECRET, title="Shop SSO", grants=grants)
        site.settings = replace(before, url=scene.seen.url, oidc=settings)
        site.oidc = Provider(settings, site.now)
        yield found
    site.settings, site.oidc = before, None


def test_somebody_comes_through_the_provider_and_leaves_through_it(
    chromium: Any, scene: Scene, provider: OidcStandin
) -> None:
    with touring(chromium, scene.seen, signed_in=False) as anna:
        anna.opens("/dead?kind=refused")
        anna.page.wait_for_url("**/login**")
        assert anna.faults() == []
        anna.page.get_by_role("link", name="Sign in with Shop SSO").click()
        anna.page.get_by_role("link", name="Agree").click()
        anna.page.wait_for_url("**/dead?kind=refused")
        anna.sees("Dead letters")
        anna.opens("/account")
        anna.sees("through localhost")
        anna.presses("Sign out")
        anna.page.wait_for_url("**/login")
        anna.sees("Sign in with Shop SSO")
        assert "/logout" in [call.path for call in provider.calls]
        anna.opens("/account")
        anna.page.wait_for_url("**/login**")
        assert anna.said == []
    lines = [line.what for _, line in accounts.audited(scene.seen.redis, scene.seen.site.keys)]
    assert "signed in through localhost" in lines
