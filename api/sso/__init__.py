"""Signing in at a provider (OpenID Connect), instead of by a password. It needs the extra ``sso``.

The authorization code flow of OpenID Connect Core 1.0 §3.1, as RFC 9700 wants it today: with PKCE
(RFC 7636), with state and nonce that belong to one browser, to one exact redirect URI. All that is
asked for is who somebody is (scope ``openid``); what else the provider knows of them stays there.
"""
