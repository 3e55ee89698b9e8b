"""The vendors this installation has, found by name in their folders. A name is looked up, never imported."""

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, cast

from routing.catalogue import ActionFacts, Catalogue, ChannelFacts, SourceFacts
from routing.ports import ActionModule, ChannelModule, PollerModule, SourceModule

_SOURCES = "receiver.sources"
_CHANNELS = "workers.channels"
_ACTIONS = "workers.actions"
_CALLBACKS = "receiver.callbacks"
_POLLERS = "workers.pollers"


def sources() -> tuple[str, ...]:
    """Vendors whose events we can read."""
    return _names(_SOURCES)


def channels() -> tuple[str, ...]:
    """Vendors we can reach people through."""
    return _names(_CHANNELS)


def actions() -> tuple[str, ...]:
    """Families of actions runbooks can use."""
    return _names(_ACTIONS)


def source(name: str) -> SourceModule:
    """Raises KeyError when there is no such vendor."""
    return cast("SourceModule", _module(_SOURCES, name))


def samples(vendor: str) -> tuple[str, ...]:
    """Names of the bodies that `tocsin send` can send as this vendor."""
    room = Path(import_module(_SOURCES).__path__[0]).parent / "samples"
    return tuple(sorted(each.stem for each in (room / vendor).glob("*.json"))) if vendor in sources() else ()


def channel(name: str) -> ChannelModule:
    """Raises KeyError when there is no such vendor."""
    return cast("ChannelModule", _module(_CHANNELS, name))


def action(name: str) -> ActionModule:
    """Raises KeyError when there is no such family."""
    return cast("ActionModule", _module(_ACTIONS, name))


def pollers() -> tuple[str, ...]:
    """Vendors that can be asked for what we missed."""
    return _names(_POLLERS)


def poller(name: str) -> PollerModule:
    """Raises KeyError when there is no such vendor."""
    return cast("PollerModule", _module(_POLLERS, name))


def callbacks() -> tuple[str, ...]:
    """Vendors that call us back."""
    return _names(_CALLBACKS)


def callback(name: str) -> Any:
    """Raises KeyError when there is no such vendor."""
    return _module(_CALLBACKS, name)


def callback_secrets() -> frozenset[str]:
    """Names of the variables that verify what vendors call back with."""
    return frozenset(secret for name in callbacks() for secret in callback(name).SECRETS)


def _source_facts(name: str) -> SourceFacts | None:
    """What a vendor's module says of its settings: it is imported for that."""
    if name not in sources():
        return None
    module: Any = source(name)
    poll = poller(name).Settings if name in pollers() else None
    return SourceFacts(
        frozenset(getattr(module, "SETTINGS", ())), getattr(module, "faults", lambda _: ()), poll
    )


def catalogue() -> Catalogue:
    """Everything a configuration may refer to. Imports every channel and action."""
    ways = {name: channel(name) for name in channels()}
    families = {name: action(name) for name in actions()}
    return Catalogue(
        sources=frozenset(sources()),
        channels={name: _facts(way) for name, way in ways.items()},
        actions={
            f"{family}.{name}": ActionFacts(each.mutates, each.params)
            for family, module in families.items()
            for name, each in module.ACTIONS.items()
        },
        families={name: frozenset(module.SETTINGS) for name, module in families.items()},
        source=_source_facts,
        shapes={name: module.Settings for name, module in families.items() if hasattr(module, "Settings")},
    )


def _facts(way: ChannelModule) -> ChannelFacts:
    return ChannelFacts(
        way.VOICE,
        way.Settings,
        getattr(way, "Bounces", None),
        threads=getattr(way, "THREADS", False),
        letters=getattr(way, "LETTERS", False),
        page=getattr(way, "PAGE", False),
        machine=getattr(way, "MACHINE", False),
        best_effort=getattr(way, "BEST_EFFORT", False),
        address=getattr(way, "ADDRESS", ""),
        recalls=getattr(way, "RECALLS", False),
    )


@cache
def _names(package: str) -> tuple[str, ...]:
    paths = import_module(package).__path__
    return tuple(sorted(found.name for found in iter_modules(paths) if not found.name.startswith("_")))


def _module(package: str, name: str) -> Any:
    if name not in _names(package):
        raise KeyError(f"there is no module {package}.{name}")
    return import_module(f"{package}.{name}")
