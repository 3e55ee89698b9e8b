"""Settings of channels and actions at the moment of use: secrets resolved from this process's environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from routing.policy import Secret, Setting


@dataclass(frozen=True, slots=True)
class Resolved:
    """`values` hold `unset` filled with the name where an environment variable is missing: `missing`."""

    values: Mapping[str, Any]
    missing: tuple[str, ...]


def resolve(
    settings: Mapping[str, Setting], environ: Mapping[str, str], unset: str = "(unset {})"
) -> Resolved:
    missing: list[str] = []

    def value(setting: Setting) -> Any:
        if isinstance(setting, Secret):
            try:
                return setting.resolve(environ)
            except KeyError:
                missing.append(setting.name)
                return unset.format(setting.name)
        if isinstance(setting, list):
            return [value(item) for item in setting]
        if isinstance(setting, dict):
            return {name: value(item) for name, item in setting.items()}
        return setting

    values = {name: value(setting) for name, setting in settings.items()}
    return Resolved(values, tuple(dict.fromkeys(missing)))


def build(model: type[BaseModel], resolved: Resolved) -> BaseModel:
    """The channel's settings. With secrets missing they are good for a preview only, and not checked.

    Raises ValueError naming the faulty settings, never their values.
    """
    if resolved.missing:
        return model.model_construct(**resolved.values)
    try:
        return model.model_validate(dict(resolved.values))
    except ValidationError as error:
        raise ValueError(faults(error)) from error


def faults(error: ValidationError) -> str:
    """Say "to: Field required; limit: Input ..." without the values found, which may be secret."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'all'}: {fault['msg']}" for fault in error.errors()
    )
