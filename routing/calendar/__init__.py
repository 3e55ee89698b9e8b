"""The calendar: what a wall clock shows when, working hours with their holidays, and sprints."""
