"""An event of our own making: what a probe or the calendar says, in the words that rules match."""

from pydantic import Field

from routing.schema.fields import Labels, ServiceName, Text
from routing.schema.part import Part


class OwnEventPart(Part):
    kind: Text = Field(description="what rules match, like SiteDown")
    title: Text = Field(description="what people are told, in a few words")
    severity: str = Field(default="", description="in a vendor's words, like critical")
    service: ServiceName | None = Field(default=None, description="a service of services.yaml it is about")
    labels: Labels = Field(default={}, description="labels the alert gets")

    @property
    def all_labels(self) -> dict[str, str]:
        """With the service, where it names one."""
        return {**self.labels, **({"service": self.service} if self.service else {})}
