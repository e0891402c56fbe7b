"""A contract import-linter lacks: these modules import what is listed, and nothing else.

A list of forbidden libraries is always one library short; a list of allowed ones is complete the day it is written.
"""

import sys
from collections.abc import Iterator
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression


class AllowListContract(Contract):
    """`modules` may import themselves, the standard library and `allowed`; each stands for all that is below it.

    Only direct imports count: what an allowed module imports is its own contract's business.
    """

    type_name = "allow_list"

    modules = fields.SetField(subfield=fields.ModuleExpressionField())
    allowed = fields.SetField(subfield=fields.ModuleExpressionField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        allowed = _names(graph, self.allowed)
        strangers = sorted(
            (importer, imported)
            for root in _names(graph, self.modules)
            for importer in {root} | graph.find_descendants(root)
            for imported in graph.find_modules_directly_imported_by(importer)
            if not _is_below(imported, {root} | allowed | sys.stdlib_module_names)
        )
        return ContractCheck(kept=not strangers, metadata={"strangers": strangers})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["strangers"]:
            output.print_error(f"{importer} may not import {imported}")


def _names(graph: ImportGraph, expressions: object) -> set[str]:
    declared = cast("set[ModuleExpression]", expressions or set())
    return {module.name for module in module_expressions_to_modules(graph, declared)}


def _is_below(module: str, roots: set[str] | frozenset[str]) -> bool:
    return any(ancestor in roots for ancestor in _ancestors(module))


def _ancestors(module: str) -> Iterator[str]:
    """The module itself and every package above it."""
    parts = module.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts) + 1))
