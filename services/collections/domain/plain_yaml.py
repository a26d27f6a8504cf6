"""Plain YAML of a caller: mappings, lists and short values, each written out where it stands, within bounds.

YAML's aliases let a few lines stand for billions of values, its merge keys hide which of two values holds, and its
tags choose how a value is read. None of them is needed to say what a policy says, so they are refused where they
are met, before anything is built from them (YAML 1.2.2, 3.2.2.2 and 10.1; CWE-776).
"""

from collections import Counter

import yaml

MAX_DOCUMENT_CHARS = 64_000
"""A policy has some twenty lines."""
MAX_NODES = 2_000
"""Keys, values, lists and mappings; a policy of the most steps that one can have takes about a thousand."""
MAX_DEPTH = 8
"""A policy takes five levels."""
MAX_VALUE_CHARS = 200
"""Length of a key or a value: no policy has a longer one, and a long number takes long to read."""


class YamlRefused(Exception):
    """The text is no plain YAML; `field` is the key that it is refused for, or empty."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that refuses aliases, anchors, merge keys, tags and keys that stand twice, and counts."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._node_count = 0
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node of the document, unless it is none of plain YAML or one too many. Raises YamlRefused."""
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        _check_event(event)
        self._node_count += 1
        self._depth += 1
        if self._node_count > MAX_NODES:
            raise YamlRefused("", f"more than {MAX_NODES} keys and values")
        if self._depth > MAX_DEPTH:
            raise YamlRefused("", f"nested deeper than {MAX_DEPTH} levels{_describe_line(event)}")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse a merge key, and a key that stands twice: the last of two would win. Raises YamlRefused."""
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise YamlRefused("", f"a key that is no text{_describe_line(key)}")
            if key.tag == "tag:yaml.org,2002:merge":
                raise YamlRefused(key.value, f"merge keys are not taken{_describe_line(key)}: write the values out")
        for name, count in Counter(key.value for key, _ in node.value).items():
            if count > 1:
                raise YamlRefused(name, f"stands {count} times{_describe_line(node)}")


def parse_plain_yaml(text: str) -> dict[object, object]:
    """Parse a document that is one mapping (JSON is YAML too). Raises YamlRefused."""
    if len(text) > MAX_DOCUMENT_CHARS:
        raise YamlRefused("", f"longer than {MAX_DOCUMENT_CHARS} characters")
    try:
        document = yaml.load(text, Loader=_PlainLoader)  # a safe loader, stricter
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise YamlRefused("", f"not readable as YAML: {error}") from None
    if not isinstance(document, dict):
        raise YamlRefused("", "must be a mapping with name, steps and guard")
    return document


def _check_event(event: yaml.Event) -> None:
    line = _describe_line(event)
    if isinstance(event, yaml.AliasEvent):
        raise YamlRefused("", f"aliases are not taken{line}: write the value out")
    if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
        raise YamlRefused("", f"anchors are not taken{line}: write the value out where it is wanted")
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
        raise YamlRefused("", f"tags are not taken{line}")
    if isinstance(event, yaml.ScalarEvent) and len(event.value) > MAX_VALUE_CHARS:
        raise YamlRefused("", f"a value of more than {MAX_VALUE_CHARS} characters{line}")


def _describe_line(part: yaml.Event | yaml.Node) -> str:
    return f" at line {part.start_mark.line + 1}" if part.start_mark else ""
