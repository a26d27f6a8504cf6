"""What a process knows about its own parts, for `/health/ready`."""

from dataclasses import dataclass, field


@dataclass
class Health:
    """The last word of each part: whether it works, and a sentence that says how it is."""

    parts: dict[str, tuple[bool, str]] = field(default_factory=dict)

    def set(self, part: str, well: bool, state: str) -> None:
        """A part says how it is."""
        self.parts[part] = (well, state)
