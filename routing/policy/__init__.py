"""Policy: the whole configuration, compiled. Each part carries its `Origin`, so reasons can name file and line."""

from routing.policy.channels import Channel, Limit
from routing.policy.drills import Drill
from routing.policy.environments import Environment
from routing.policy.escalation import EscalationPolicy, EscalationStep
from routing.policy.impact import Impact, Matrix
from routing.policy.noise import Flapping, Maintenance, Noise, Relation, Tie
from routing.policy.people import AtHours, Contact, Digest, HourlyPage, Method, Team
from routing.policy.policy import Policy
from routing.policy.probes import Probe
from routing.policy.process import Process, Role
from routing.policy.routes import Matcher, Route
from routing.policy.runbooks import Approvers, Budget, Guard, Limits, Runbook, RunbookStep, Task, Verify
from routing.policy.scheduled import Scheduled
from routing.policy.schedules import Feed, Layer, Mode, Notices, Rotation, RoundRobin, Schedule, Unit
from routing.policy.secret import Secret, Setting
from routing.policy.senders import Source
from routing.policy.services import Service
from routing.policy.severity import Adjustment, Promotion, SeverityRule
from routing.policy.status_page import Audience, StatusPage
from routing.policy.templates import Template
from routing.policy.windows import Absence, Rate, Ratio, Threshold

__all__ = [
    "Absence",
    "Adjustment",
    "Approvers",
    "AtHours",
    "Audience",
    "Budget",
    "Channel",
    "Contact",
    "Digest",
    "Drill",
    "Environment",
    "EscalationPolicy",
    "EscalationStep",
    "Feed",
    "Flapping",
    "Guard",
    "HourlyPage",
    "Impact",
    "Layer",
    "Limit",
    "Limits",
    "Maintenance",
    "Matcher",
    "Matrix",
    "Method",
    "Mode",
    "Noise",
    "Notices",
    "Policy",
    "Probe",
    "Process",
    "Promotion",
    "Rate",
    "Ratio",
    "Relation",
    "Role",
    "Rotation",
    "RoundRobin",
    "Route",
    "Runbook",
    "RunbookStep",
    "Schedule",
    "Scheduled",
    "Secret",
    "Service",
    "Setting",
    "SeverityRule",
    "Source",
    "StatusPage",
    "Task",
    "Team",
    "Template",
    "Threshold",
    "Tie",
    "Unit",
    "Verify",
]
