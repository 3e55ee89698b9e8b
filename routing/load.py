"""From the texts of the configuration files to a Policy, or to all of their faults at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from pydantic import ValidationError

from routing import warnings
from routing.automation import chains
from routing.calendar.hours import Hours
from routing.catalogue import Catalogue, ChannelFacts
from routing.errors import ConfigError, ConfigWarning, Fault
from routing.policy import Budget, Noise, Policy, Probe, Process, Service, Template
from routing.schema import (
    absences,
    calendar,
    channels,
    contacts,
    coverage,
    drills,
    escalation,
    impact,
    limits,
    noise,
    oncall,
    probes,
    process,
    promotion,
    relations,
    routes,
    runbooks,
    scheduled,
    services,
    severity,
    site,
    sources,
    teams,
    templates,
    thresholds,
)
from routing.schema.faults import add_faults
from routing.schema.part import Known, Part, Spot
from routing.schema.yaml_marks import Document, Mark, read

FILES: Mapping[str, type[Part]] = {
    "tocsin.yaml": site.SiteFile,
    "sources.yaml": sources.SourcesFile,
    "services.yaml": services.ServicesFile,
    "severity.yaml": severity.SeverityFile,
    "routes.yaml": routes.RoutesFile,
    "escalation.yaml": escalation.EscalationFile,
    "oncall.yaml": oncall.OnCallFile,
    "channels.yaml": channels.ChannelsFile,
    "actions.yaml": channels.ActionsFile,
    "noise.yaml": noise.NoiseFile,
    "calendar.yaml": calendar.CalendarFile,
    "process.yaml": process.ProcessFile,
    "probes.yaml": probes.ProbesFile,
}
FOLDERS: Mapping[str, type[Part]] = {
    "runbooks/": runbooks.RunbookFile,
    "templates/": templates.TemplateFile,
}
OPTIONAL = frozenset(
    {"actions.yaml", "calendar.yaml", "services.yaml", "noise.yaml", "process.yaml", "probes.yaml"}
)
RUNBOOKS = "runbooks/"
TEMPLATES = "templates/"

_DEFINES = {
    "contact": ("oncall.yaml", "contacts"),
    "schedule": ("oncall.yaml", "schedules"),
    "team": ("oncall.yaml", "teams"),
    "channel": ("channels.yaml", "channels"),
    "escalation policy": ("escalation.yaml", "policies"),
    "service": ("services.yaml", "services"),
    "hours": ("calendar.yaml", "hours"),
    "holidays": ("calendar.yaml", "holidays"),
}

_LEFT_OUT = frozenset({"schedules", "teams"})
"""What a file need not have."""

P = TypeVar("P", bound=Part)


def load(files: Mapping[str, str], catalogue: Catalogue, env: Mapping[str, str] | None = None) -> Policy:
    """Compile the policy. `files` maps "config/routes.yaml" to its text; `env` None leaves ${NAME} unchecked.

    Raises ConfigError with every fault of every file.
    """
    return _Loading(files, catalogue, env).sound()


@dataclass(frozen=True, slots=True)
class Examined:
    policy: Policy
    warnings: tuple[ConfigWarning, ...]


def examine(
    files: Mapping[str, str], catalogue: Catalogue, environ: Mapping[str, str], *, secrets: bool = True
) -> Examined:
    """Compile the policy and look for what is hardly meant; `secrets` False leaves ${NAME} unchecked.

    Raises ConfigError with every fault of every file; warnings are looked for only where there is none.
    """
    loading = _Loading(files, catalogue, environ if secrets else None)
    policy = loading.sound(words=True)
    return Examined(policy, warnings.find(warnings.Subject(policy, loading.documents(), environ)))


def version(files: Mapping[str, str]) -> str:
    """The hash that names a policy: of its files' names and texts."""
    digest = sha256()
    for name in sorted(files):
        for part in (name, files[name]):
            digest.update(f"{len(part)}:{part}".encode(errors="surrogatepass"))
    return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was read, and its model where that is sound."""

    document: Document
    part: Part | None

    @property
    def spot(self) -> Spot:
        return Spot(self.document)


class _Loading:
    def __init__(self, files: Mapping[str, str], catalogue: Catalogue, env: Mapping[str, str] | None) -> None:
        self._files = files
        self._catalogue = catalogue
        self._missing: list[Fault] = []
        documents = {_short(name): read(name, text) for name, text in files.items()}
        self._known = _known(documents, catalogue, env)
        self._read = {name: self._model(name, document) for name, document in sorted(documents.items())}
        for name in FILES.keys() - OPTIONAL - documents.keys():
            where = f"config/{name}"
            self._missing.append(Fault(where, 0, 0, "", "the file is missing", "write it, or restore it"))

    def sound(self, *, words: bool = False) -> Policy:
        """Raises ConfigError. `words`: with every template filled in once, which no policy in force needs again."""
        policy = self.policy()
        found = self._templates()
        if words and found:
            from routing.templates.checking import check  # noqa: PLC0415  # Jinja is large

            texts = {_short(name): text for name, text in self._files.items()}
            check(found, self._documents_of(TEMPLATES), texts)
        faults = self.faults()
        if faults or policy is None:
            raise ConfigError(faults)
        return policy

    def _documents_of(self, folder: str) -> dict[str, Document]:
        return {name: each.document for name, each in self._read.items() if name.startswith(folder)}

    def documents(self) -> dict[str, Document]:
        return {name: each.document for name, each in self._read.items()}

    def faults(self) -> list[Fault]:
        found = [fault for each in self._read.values() for fault in each.document.faults]
        return sorted(
            [*self._missing, *found], key=lambda fault: (fault.file, fault.line, fault.column, fault.path)
        )

    def policy(self) -> Policy | None:
        """The compiled policy; None when a file it needs is unsound."""
        books = [each for name, each in self._read.items() if name.startswith(RUNBOOKS)]
        relations.unique_runbooks([each.document for each in books])
        relations.no_endless_runbooks([each.document for each in books], chains.MOST)
        if "escalation.yaml" in self._read:
            relations.no_cycles(self._read["escalation.yaml"].document)
        if "services.yaml" in self._read:
            relations.no_mutual_needs(self._read["services.yaml"].document)
        if "tocsin.yaml" in self._read:
            dates = self._read.get("calendar.yaml")
            relations.sprints_known(self._read["tocsin.yaml"].document, dates.document if dates else None)
        if "routes.yaml" in self._read:
            relations.unique_routes(self._read["routes.yaml"].document)
        if "severity.yaml" in self._read:
            relations.unique_names(self._read["severity.yaml"].document, "rules", "rule")
            relations.unique_names(self._read["severity.yaml"].document, "thresholds", "threshold")
            relations.unique_names(self._read["severity.yaml"].document, "absences", "absence")
            relations.unique_names(self._read["severity.yaml"].document, "adjustments", "adjustment")
            relations.unique_names(self._read["severity.yaml"].document, "promotions", "promotion")
        if "noise.yaml" in self._read:
            quiet = self._read["noise.yaml"].document
            relations.unique_names(quiet, "inhibitions", "inhibition")
            relations.unique_names(quiet, "correlations", "correlation")
            relations.unique_names(quiet, "maintenance", "maintenance window")
        words = self._documents_of(TEMPLATES)
        templates.known_names(words, self._known.names.get("channel"))
        if self.faults():
            return None
        policy = self._build(books)
        coverage.no_unmeant_gaps(policy, self._read["oncall.yaml"].document)
        return policy

    def _build(self, books: list[_Read]) -> Policy:
        common, common_at = self._get("tocsin.yaml", site.SiteFile)
        senders, senders_at = self._get("sources.yaml", sources.SourcesFile)
        rules, rules_at = self._get("severity.yaml", severity.SeverityFile)
        tree, tree_at = self._get("routes.yaml", routes.RoutesFile)
        ladder, ladder_at = self._get("escalation.yaml", escalation.EscalationFile)
        people, people_at = self._get("oncall.yaml", oncall.OnCallFile)
        ways, ways_at = self._get("channels.yaml", channels.ChannelsFile)
        acting = self._read.get("actions.yaml")
        settings = acting.part if acting and isinstance(acting.part, channels.ActionsFile) else None
        days = self._read.get("calendar.yaml")
        dates = days.part if days and isinstance(days.part, calendar.CalendarFile) else None
        hours = calendar.build_hours(dates, days.spot) if days and dates else {}
        voices = self._known.voices
        mutating = frozenset(name for name, facts in self._catalogue.actions.items() if facts.mutates)
        hours = calendar.build_hours(dates, days.spot) if days and dates else {}
        return Policy(
            version=version(self._files),
            levels=site.build_levels(common, common_at),
            sources=sources.build_sources(senders, senders_at),
            rules=severity.build_rules(rules, rules_at),
            thresholds=thresholds.build_thresholds(rules.thresholds, rules_at),
            absences=absences.build_absences(rules.absences, rules_at, hours),
            route=routes.build_route(tree, tree_at),
            escalations=escalation.build_escalations(ladder, ladder_at),
            schedules=oncall.build_schedules(people, people_at, hours, dates),
            contacts=contacts.build_contacts(people.contacts, people_at, voices),
            channels=channels.build_channels(ways, ways_at, voices, self._catalogue),
            runbooks=tuple(
                runbooks.build_runbook(book.part, book.spot, mutating)
                for book in books
                if isinstance(book.part, runbooks.RunbookFile)
            ),
            last_resort=common.last_resort.contact,
            last_resort_every_ms=common.last_resort.every,
            public_url=common.public_url,
            suspect_ms=common.suspect_window,
            retire_ms=common.retire_after,
            bodies_ms=common.keep_bodies,
            verified_ms=common.verified_for,
            max_running=common.max_running,
            runs=Budget(common.runs.per_hour, common.runs.per_day),
            freeze=hours.get(common.freeze or ""),
            warn_percent=common.warn_at,
            default_severity=rules.default,
            vendor_severities=rules.vendor_severity,
            matrix=impact.build_matrix(rules.matrix, rules_at.at("matrix")),
            tiers={int(tier): word for tier, word in rules.tiers.items()},
            promotions=promotion.build_promotions(rules.promotions, rules_at),
            adjustments=severity.build_adjustments(rules, rules_at, hours),
            classify_origin=rules_at.at("default").origin,
            settings=channels.build_settings(settings),
            environments=channels.build_environments(settings, acting.spot if acting else None),
            services=self._services(),
            process=self._process(),
            probes=self._probes(),
            teams=teams.build_teams(people.teams, people_at, people.contacts),
            limits=limits.build_limits(people.limits),
            noise=self._noise(hours),
            hours=hours,
            templates=self._templates(),
            drills=(
                drills.build_drills(dates.drills, days.spot.at("drills"), hours) if days and dates else ()
            ),
            sprints=calendar.build_sprints(dates, days.spot) if days and dates else None,
            scheduled=(
                scheduled.build_scheduled(dates.scheduled, days.spot.at("scheduled"))
                if days and dates
                else ()
            ),
        )

    def _templates(self) -> dict[str, Template]:
        return templates.build_templates({
            name: (each.part, each.spot)
            for name, each in self._read.items()
            if isinstance(each.part, templates.TemplateFile)
        })  # fmt: skip

    def _process(self) -> Process | None:
        found = self._read.get("process.yaml")
        if found is None or not isinstance(found.part, process.ProcessFile):
            return None
        return process.build_process(found.part, found.spot)

    def _probes(self) -> tuple[Probe, ...]:
        found = self._read.get("probes.yaml")
        if found is None or not isinstance(found.part, probes.ProbesFile):
            return ()
        return probes.build_probes(found.part, found.spot)

    def _services(self) -> dict[str, Service]:
        found = self._read.get("services.yaml")
        if found is None or not isinstance(found.part, services.ServicesFile):
            return {}
        return services.build_services(found.part, found.spot)

    def _noise(self, hours: dict[str, Hours]) -> Noise:
        found = self._read.get("noise.yaml")
        if found is None or not isinstance(found.part, noise.NoiseFile):
            return Noise()
        return noise.build_noise(found.part, found.spot, hours)

    def _get(self, name: str, kind: type[P]) -> tuple[P, Spot]:
        found = self._read[name]
        if not isinstance(found.part, kind):
            raise TypeError(f"{name} was read as {type(found.part)}")
        return found.part, found.spot

    def _model(self, name: str, document: Document) -> _Read:
        kind = next((each for folder, each in FOLDERS.items() if name.startswith(folder)), FILES.get(name))
        if kind is None:
            fix = f"rename it to one of {', '.join(sorted(FILES))}, or move it away"
            document.refuse(Mark(1, 1), (), "no file of this name is read", fix)
            return _Read(document, None)
        if document.is_unsound(()):
            return _Read(document, None)
        try:
            part = kind.model_validate(document.data, context=self._known)
        except ValidationError as error:
            add_faults(document, kind, error)
            return _Read(document, None)
        return _Read(document, part)


def _short(name: str) -> str:
    return name.partition("/")[2] or name


def _known(documents: Mapping[str, Document], catalogue: Catalogue, env: Mapping[str, str] | None) -> Known:
    names = {kind: _defined(documents, file, key) for kind, (file, key) in _DEFINES.items()}
    homes = {kind: f"config/{file}" for kind, (file, _) in _DEFINES.items()}
    names |= {
        "source vendor": frozenset(catalogue.sources),
        "channel vendor": frozenset(catalogue.channels),
        "action": frozenset(catalogue.actions),
        "action family": frozenset(catalogue.families),
    }
    names["runbook"], homes["runbook"] = _runbooks(documents), f"config/{RUNBOOKS}"
    homes |= dict.fromkeys(
        ("source vendor", "channel vendor", "action", "action family"), "the vendors' modules"
    )
    ways = documents.get("channels.yaml")
    voices = _having(ways, catalogue, lambda facts: facts.voice)
    pages = _having(ways, catalogue, lambda facts: facts.page)
    return Known(names=names, homes=homes, voices=voices, pages=pages, catalogue=catalogue, env=env)


def _defined(documents: Mapping[str, Document], file: str, key: str) -> frozenset[str] | None:
    """The names a file defines; None when it could not be read, so that nobody is told of its consequences."""
    document = documents.get(file)
    if document is None and file in OPTIONAL:
        return frozenset()
    if document is None or document.is_unsound(()) or not isinstance(document.data, dict):
        return None
    items = document.data.get(key, {} if file in OPTIONAL or key in _LEFT_OUT else None)
    return frozenset(items) if isinstance(items, dict) and not document.is_unsound((key,)) else None


def _runbooks(documents: Mapping[str, Document]) -> frozenset[str] | None:
    """The ids of all runbooks; None when one could not be read."""
    books = [document for name, document in documents.items() if name.startswith(RUNBOOKS)]
    if any(book.is_unsound(()) or not isinstance(book.data, dict) for book in books):
        return None
    return frozenset(str(book.data.get("id")) for book in books)


def _having(
    document: Document | None, catalogue: Catalogue, has: Callable[[ChannelFacts], bool]
) -> frozenset[str]:
    """Channels whose vendor has it."""
    items = document.data.get("channels") if document and isinstance(document.data, dict) else None
    vendors = {
        name: part.get("vendor")
        for name, part in (items.items() if isinstance(items, dict) else ())
        if isinstance(part, dict)
    }
    with_it = {name for name, facts in catalogue.channels.items() if has(facts)}
    return frozenset(
        name for name, vendor in vendors.items() if isinstance(vendor, str) and vendor in with_it
    )
