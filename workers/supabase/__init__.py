"""What Supabase's management API can be asked, by noun; `workers.actions.supabase` offers it to runbooks.

Sources: supabase.com/docs/reference/api (the management API), /docs/guides/platform (backups, compute, pooling).
"""
