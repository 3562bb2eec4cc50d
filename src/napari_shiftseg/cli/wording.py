"""What is wrong with a command line, in words for those who do not know how it is parsed."""

from __future__ import annotations

from itertools import pairwise

from cyclopts import CycloptsError, MissingArgumentError, UnusedCliTokensError


def explained(error: CycloptsError) -> str:
    """Return one sentence for what the parser refuses, and where to read what is legal."""
    command = " ".join(error.command_chain or ())
    wrong = _what(error, command)
    return wrong if "Did you mean" in wrong else f"{wrong} See shiftseg {command} --help."


def _what(error: CycloptsError, command: str) -> str:
    typed = error.root_input_tokens or []
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        if not set(error.argument.names) & set(typed):
            name = error.argument.name
            is_place = error.argument.index is not None
            return f"{command} needs {name.lstrip('-').upper() if is_place else name}."
    if isinstance(error, UnusedCliTokensError):
        unused = " ".join(error.unused_tokens or [])
        return f"{command} does not know what to do with {unused!r}."
    said = str(error)
    for flag, value in pairwise(typed):
        is_answer = flag.startswith("--") and value.lower() in ("true", "false")
        if is_answer and value in said and "positionally" in said:
            name = flag[2:].removeprefix("no-")
            return f"{flag} takes no value: --{name} is yes, --no-{name} is no."
    return said
