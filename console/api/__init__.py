"""The JSON API, `/api/v1`: one module a resource, found by its name. See docs/api.md."""
