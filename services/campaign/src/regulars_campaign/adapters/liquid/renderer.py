"""Templates in Liquid, as their authors may use it: a few tags and filters, bounded in time and size.

Templates are written by users. There is no loader, so nothing leads to a file, and variables are plain values, so
nothing leads to an object. Filters that can make much of little by multiplication (`replace`, `join`, `base64_encode`,
a `date` of a thousand places …) are left out: limits on what is stored and put out would come too late for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError

from regulars_campaign.domain.refusals import InvalidTemplate
from regulars_campaign.domain.templates import LONGEST_SUBJECT, VARIABLES, Text, nested, refuse_unknown

TAGS = frozenset(
    {"#", "assign", "break", "capture", "case", "comment", "continue", "cycle", "doc", "echo", "for", "if", "unless"}
)
_INNER_TAGS = frozenset({"content", "output", "illegal"})
"""What the library calls text, output and a tag that it does not know."""

FILTERS = frozenset(
    {
        "abs", "append", "at_least", "at_most", "capitalize", "ceil", "default", "divided_by", "downcase", "escape",
        "floor", "minus", "modulo", "newline_to_br", "plus", "prepend", "round", "size", "strip", "times", "truncate",
        "truncatewords", "upcase", "url_encode",
    }
)  # fmt: skip
_HARMLESS_ERRORS = (LiquidError, ValueError, ArithmeticError, TypeError, RecursionError)
"""What a template can provoke: Python, too, refuses numbers of thousands of digits."""


class _Liquid(Environment):
    context_depth_limit: ClassVar[int] = 20
    block_nesting_limit: ClassVar[int] = 20
    loop_iteration_limit: ClassVar[int | None] = 1_000
    local_namespace_limit: ClassVar[int | None] = 20_000
    output_stream_limit: ClassVar[int | None] = 65_536

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS | _INNER_TAGS}
        self.filters = {name: made for name, made in self.filters.items() if name in FILTERS}


class LiquidRenderer:
    def __init__(self) -> None:
        self._liquid = _Liquid()

    def check(self, text: Text) -> None:
        """A template is filled in once with the examples, so that one which never can be is refused at once."""
        for field, source in _fields(text):
            template = self._parse(source, field)
            self._check_names(template, field)
        self.render(text, VARIABLES)

    def render(self, text: Text, values: Mapping[str, str | int | None]) -> Text:
        filled = {field: self._fill(source, field, values) for field, source in _fields(text)}
        # A subject is a header: a line break in it would begin another one.
        subject = " ".join(filled["/subject"].split())[:LONGEST_SUBJECT]
        return Text(subject, filled["/body"])

    def _fill(self, source: str, field: str, values: Mapping[str, str | int | None]) -> str:
        try:
            return self._parse(source, field).render(**nested(values))
        except _HARMLESS_ERRORS as error:
            raise InvalidTemplate(_words(error, "cannot be filled in"), field=field) from None

    def _parse(self, source: str, field: str) -> BoundTemplate:
        try:
            return self._liquid.from_string(source)
        except _HARMLESS_ERRORS as error:
            raise InvalidTemplate(_words(error, "is not valid Liquid"), field=field) from None

    def _check_names(self, template: BoundTemplate, field: str) -> None:
        found = template.analyze()
        if not set(found.filters) <= FILTERS:
            raise InvalidTemplate(f"the filters are {', '.join(sorted(FILTERS))}", field=field)
        refuse_unknown((str(variable) for same in found.globals.values() for variable in same), field)


def _fields(text: Text) -> Iterator[tuple[str, str]]:
    yield "/subject", text.subject
    yield "/body", text.body


def _words(error: Exception, what: str) -> str:
    """What is wrong and in which line; the library's own words repeat the template."""
    place = error.context() if isinstance(error, LiquidError) else None
    return what if place is None else f"{what}, line {place[0]}"
