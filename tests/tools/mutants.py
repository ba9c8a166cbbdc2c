# SPDX-License-Identifier: Apache-2.0
"""Makes the mutants of a C file: one thing broken at a time. Used by mutate.py, which says what the operators are."""
import dataclasses
import re

FLIP = {">=": "<", "<=": ">", ">": "<=", "<": ">=", "==": "!=", "!=": "=="}
EDGE = {">=": ">", "<=": "<", ">": ">=", "<": "<="}
COMPARISON = re.compile(r"(?<![-<>=!])(>=|<=|==|!=|>|<)(?![<>=])")
NUMBER = re.compile(r"(?<![\w.])(\d+)(?=[uUlL]*\b)(?![xX.])")
STATEMENT = re.compile(r"^\s+(?!return\b|break\b|continue\b|case\b|default\b|goto\b|else\b|static\b|const\b|struct\b|enum\b|bool\b|u?int\d+_t\b|size_t\b|unsigned\b|int\b)"
                       r"[\w*(+-][^{}]*;\s*$")
DECLARATION = re.compile(r"^\s*(static |const |struct |enum |bool |u?int\d+_t |size_t |unsigned |int )*[\w* ]+\[[^]]*\];")


HEAD = re.compile(r"^(?!typedef|extern)[a-z][\w *]*?\b(\w+)\([^;]*$")


@dataclasses.dataclass(frozen=True)
class Mutant:
    path: str
    line: int  # from 1
    function: str  # "-" outside of functions
    operator: str  # and, when it fits a line more than once, which: "0 becomes 1 (2)"
    was: str  # the line of code
    text: str  # the whole file

    @property
    def key(self):
        """What names it in equivalent_mutants.txt: not the number of its line, which moves."""
        return (self.path, self.function, self.operator, self.was)


def blanked(text):
    """The same length with comments, strings, characters and preprocessor lines blank, so that positions stay."""
    def blank(found):
        return re.sub(r"[^\n]", " ", found.group(0))
    text = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)
    return re.sub(r"^[ \t]*(#|_Static_assert).*?(?<!\\)$", blank, text, flags=re.S | re.M)


def term_ends(code, at):
    """Where the operands left and right of the && or || at `at` begin and end: as far as brackets, commas and looser operators."""
    loose = ("||", "?", ":", ";", ",", "=", "{", "}", "return") if code[at:at + 2] == "&&" else ("?", ":", ";", ",", "=", "{", "}", "return")
    same = code[at:at + 2]

    def stops(i):
        if code.startswith(same, i):
            return True
        for word in loose:
            if code.startswith(word, i):
                return word != "=" or (code[i - 1] not in "=!<>" and code[i + 1] != "=")
        return False

    depth, left = 0, at
    while left > 0:
        c = code[left - 1]
        if c in ")]":
            depth += 1
        elif c in "([":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and (stops(left - 1) or (left > 1 and code[left - 2:left] in ("&&", "||") and stops(left - 2))
                             or code[max(0, left - 6):left] == "return"):
            break
        left -= 1
    depth, right = 0, at + 2
    while right < len(code):
        c = code[right]
        if c in "([":
            depth += 1
        elif c in ")]":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and stops(right):
            break
        right += 1
    return left, right


def condition_ends(code, at):
    """Of the bracket that opens at `at`: where it closes."""
    depth = 0
    for i in range(at, len(code)):
        depth += (code[i] == "(") - (code[i] == ")")
        if depth == 0:
            return i
    return at


def functions(lines):
    """For each line, the function that it is in, or "-"."""
    names, inside = [], "-"
    for i, line in enumerate(lines):
        head = HEAD.match(line)
        if head and "=" not in line:
            inside = head.group(1)
        names.append(inside)
        if line.startswith("}"):
            inside = "-"
    return names


def mutants(path, text):
    """Every mutant of one file; no two have the same key or, spaces aside, the same text."""
    seen, texts, out = {}, set(), []
    for mutant in raw_mutants(path, text):
        bare = hash(re.sub(r"\s+", "", mutant.text))
        if bare in texts:
            continue
        texts.add(bare)
        seen[mutant.key] = seen.get(mutant.key, 0) + 1
        times = seen[mutant.key]
        out.append(dataclasses.replace(mutant, operator=f"{mutant.operator} ({times})") if times > 1 else mutant)
    return out


def raw_mutants(path, text):
    code = blanked(text)
    starts = [0]
    for i, c in enumerate(text):
        if c == "\n":
            starts.append(i + 1)
    lines = text.split("\n")
    inside = functions(code.split("\n"))
    in_for = [(m.end() - 1, condition_ends(code, m.end() - 1)) for m in re.finditer(r"\bfor \(", code)]

    def line_of(at):
        return text.count("\n", 0, at) + 1

    def made(at, end, new, operator):
        number = line_of(at)
        return Mutant(path, number, inside[number - 1], operator, lines[number - 1].strip(), text[:at] + new + text[end:])

    for found in COMPARISON.finditer(code):
        old = found.group(1)
        if old in "<>" and code[found.start() - 1] != " ":
            continue
        yield made(found.start(), found.end(), FLIP[old], f"{old} becomes {FLIP[old]}")
        if old in EDGE and not any(a < found.start() < b for a, b in in_for):
            yield made(found.start(), found.end(), EDGE[old], f"{old} becomes {EDGE[old]}")
    for found in re.finditer(r"&&|\|\|", code):
        left, right = term_ends(code, found.start())
        neutral = " true " if found.group(0) == "&&" else " false "
        yield made(left, found.start(), neutral, f"term left of {found.group(0)} dropped")
        yield made(found.end(), right, neutral.rstrip(), f"term right of {found.group(0)} dropped")
    for found in re.finditer(r"\b(if|while) \(", code):
        end = condition_ends(code, found.end() - 1)
        yield made(found.end(), end, f"!({text[found.end():end]})", "condition negated")
    for found in NUMBER.finditer(code):
        if DECLARATION.match(lines[line_of(found.start()) - 1]):
            continue
        yield made(found.start(1), found.end(1), str(int(found.group(1)) + 1), f"{found.group(1)} becomes {int(found.group(1)) + 1}")
    for found in re.finditer(r"\b(true|false)\b", code):
        new = "false" if found.group(1) == "true" else "true"
        yield made(found.start(), found.end(), new, f"{found.group(1)} becomes {new}")
    for found in re.finditer(r"(?<= )([+-])(?= )|(?<= )([+-])(?==)", code):
        new = "-" if found.group(0) == "+" else "+"
        yield made(found.start(), found.end(), new, f"{found.group(0)} becomes {new}")
    code_lines = code.split("\n")
    for number, line in enumerate(code_lines):
        before = next((l for l in reversed(code_lines[:number]) if l.strip()), "")
        if STATEMENT.match(line) and re.search(r"[;{})]\s*$|\belse\s*$", before):
            yield made(starts[number], starts[number] + len(line), ";", "statement deleted")
