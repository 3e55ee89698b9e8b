"""Acts. Dispatch, deliver, remediate, watchdog, supervisor: everything that carries out a decision."""
