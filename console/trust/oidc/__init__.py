"""Signing in through an OpenID Connect provider: the code flow with PKCE. The extra `oidc`."""
