# SPDX-License-Identifier: GPL-2.0
"""The mutants of a C file: where, of which kind, and what stands there then."""
import re
from typing import NamedTuple

KINDS = ("compare", "constant", "negate", "logic", "remove", "return")
COMPARE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
DECLARATION = re.compile(
    r"(?:static |const |volatile |unsigned |signed |struct |enum |union )*"
    r"(?:struct |enum |union )?[A-Za-z_]\w*(?:\([^()]*\))? [\w* ]*\**\w+(?:\[[^]]*\])*(?: =|;|,|\()")


class Mutant(NamedTuple):
    path: str
    start: int
    end: int
    text: str
    kind: str
    line: int


def code_of(text):
    """The text with blanks for comments, strings, characters and lines of the preprocessor, but for #define's values."""
    pattern = re.compile(
        r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
        r"|^[ \t]*#[ \t]*(?!define\b)\w+(?:\\\n|[^\n])*|^[ \t]*#[ \t]*define[ \t]+\w+(?:\([^)]*\))?", re.S | re.M)
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def closing(code, at):
    """Where the parenthesis that opens at `at` is closed; None: nowhere."""
    depth = 0
    for i in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if not depth:
            return i
    return None


def compares(code):
    for found in re.finditer(r" (<=|>=|==|!=|<|>) ", code):
        yield found.start(1), found.end(1), COMPARE[found[1]]


def constants(code):
    for found in re.finditer(r"(?<![\w.])(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)(?![\w.])", code):
        for step in 1, -1:
            value = int(found[1], 16 if found[1][:2].lower() == "0x" else 10) + step
            if value >= 0:
                yield found.start(), found.end(), f"{value}{found[2]}"


def negates(code):
    for found in re.finditer(r"\bif \(", code):
        end = closing(code, found.end() - 1)
        if end:
            yield found.end(), end, None


def logics(code):
    for found in re.finditer(r" (&&|\|\|) ", code):
        yield found.start(1), found.end(1), {"&&": "||", "||": "&&"}[found[1]]


def removals(code):
    """Statements of one line that are no declaration and no jump."""
    for found in re.finditer(r"^\t+([^\s#{}][^\n{}]*;)[ \t]*$", code, re.M):
        text = found[1]
        if re.match(r"(return|break|continue|goto|case|default|else|do|for|while|if|typedef|extern)\b", text):
            continue
        if DECLARATION.match(text) and not re.match(r"[\w>.\[\]-]+\(", text):
            continue
        if text.count("(") == text.count(")"):
            yield found.start(1), found.end(1), ";"


def returns(code):
    for found in re.finditer(r"\breturn ([^;]+);", code):
        other = {"0": "1", "true": "false", "false": "true", "NULL": None}.get(found[1], "0")
        if other is not None:
            yield found.start(1), found.end(1), other


def mutants(path, text):
    code = code_of(text)
    finders = dict(zip(KINDS, (compares, constants, negates, logics, removals, returns)))
    for kind, finder in finders.items():
        for start, end, new in finder(code):
            if new is None:
                new = f"!({text[start:end]})"
            yield Mutant(path, start, end, new, kind, text.count("\n", 0, start) + 1)
