"""Health of a process's own parts, for `/health/ready`."""

from dataclasses import dataclass, field


@dataclass
class Health:
    """The last word of each part: whether it works, and a sentence that says how it is."""

    parts: dict[str, tuple[bool, str]] = field(default_factory=dict)
    outside: dict[str, tuple[bool, str]] = field(default_factory=dict)
    """The same of what lies outside (mail hop, vendor): the process is ready without it, for it asks again later."""

    def set_health(self, part: str, well: bool, state: str) -> None:
        """A part says how it is."""
        self.parts[part] = (well, state)

    def update_outside_health(self, part: str, well: bool, state: str) -> bool:
        """Note how something outside was found; whether that differs from what was noted before."""
        before, self.outside[part] = self.outside.get(part), (well, state)
        return before != (well, state)
