"""Templates of messages: sandboxed Jinja over curated facts, bounded in time and size.

`choosing` says which file gives which part of a message, `facts` what it may name, `sandbox` what may be
written, `wording` puts a message together, and `checking` holds every template against samples before it
goes live. Only the modules that compile anything import Jinja, which is large.
"""
