"""What Vercel's REST API can be asked, by noun; `workers.actions.vercel` offers it to runbooks."""
