"""PostgreSQL, as far as its actions need it: a connection for one step, what sessions do, what queries cost."""
