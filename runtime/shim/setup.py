"""Setup scripts and a program to one shell that runs them, tells what they changed, and becomes the program."""

# A node may have Python 3.8.

from __future__ import annotations

import os
import re
import shlex
from typing import Any, Dict, List, Optional, Sequence

from . import template

# What setup scripts export goes into the container too: the names that were not there before them.
BEFORE_SETUP = 'xpc_known=" $(compgen -e) "'
AFTER_SETUP = """xpc_new=() xpc_at=$1
shift
for xpc_name in $(compgen -e); do
    case ${xpc_known//$'\\n'/ } in *" $xpc_name "*) ;; *) %s ;; esac
done
exec "${@:1:xpc_at}" "${xpc_new[@]}" "${@:xpc_at+1}\""""
BY_OPTION, BY_VARIABLE = 'xpc_new+=(--env "$xpc_name")', 'export "APPTAINERENV_$xpc_name=${!xpc_name}"'


# A shell that fails says no more than a status: the log, and from it the record, shall name the line.
WATCH = """trap 'xpc_gave=$?
printf "xpc: setup line %s gave %s\\n" "$xpc_line" "$xpc_gave" >&2
[ "$xpc_gave" -ne 0 ] || exit 1' EXIT"""
FAILED = re.compile(r"xpc: (setup line .*) gave (\d+)$")
PARAMETER = re.compile(r'"?\$\{(\d+)\}"?')
LONGEST = 100  # characters of a line that are shown

# What they lead the program to is for the record. A shell that can't write it down goes on.
TOLD = ("PATH", "LOADEDMODULES", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME")
TELL = "{ printf '%%s\\0' %s >\"$1\"; } 2>/dev/null || :; shift" % " ".join('"${%s-}"' % name for name in TOLD)


def with_setup(
    setups: List[Dict[str, Any]],
    argv: List[str],
    context: template.Context,
    tell_in: str,
    at: int = 0,
    runtime: str = "",
) -> List[str]:
    """Give a command that runs the setup scripts in one shell, leaves what they changed in the file *tell_in*, and then
    becomes the program.

    Where that starts a container by *runtime*, *at* is the place in it for more options.
    """
    lines: List[str] = [WATCH]
    words: List[str] = []
    for number, setup in enumerate(setups, 1):
        own = template.parameters(setup["args"], context)
        lines.append("xpc_line=" + shlex.quote(_shown(setup["script"], own)))
        lines.append("setup_%d() {\n%s\n}" % (number, setup["script"]))
        lines.append('setup_%d "${@:2:$1}"; shift $(($1 + 1))' % number)
        words += [str(len(own)), *own]
    lines += ["trap - EXIT", TELL]
    words.append(tell_in)
    if runtime:
        lines = [BEFORE_SETUP, *lines, AFTER_SETUP % (BY_VARIABLE if runtime == "apptainer" else BY_OPTION)]
        words.append(str(at))
    else:
        lines.append('exec "$@"')
    script = "\n".join(lines)
    return ["bash", "-e", "-o", "pipefail", "-c", script, "xpc", *words, *argv]


def _shown(script: str, words: Sequence[str]) -> str:
    """Give a setup line as people know it: in quotes, with its values, on one line."""

    def word(found: "re.Match[str]") -> str:
        place = int(found[1]) - 1
        return words[place] if 0 <= place < len(words) else found[0]

    text = PARAMETER.sub(word, script).strip().split("\n")[0]
    return '"%s"' % "".join(char if char.isprintable() else " " for char in text[:LONGEST])


def failed_line(said: str) -> Optional[str]:
    """Give what the last line of a log says of the setup line that ended a run before its program began."""
    found = FAILED.match(said.rstrip("\n").rpartition("\n")[2])
    if found is None:
        return None
    return found[1] + (" left before the program began" if found[2] == "0" else " gave " + found[2])


def after_setup(path: str) -> Optional[Dict[str, str]]:
    """Read what the setup scripts made of the variables that lead to a program, and remove the file."""
    try:
        with open(path, "rb") as file:
            values = os.fsdecode(file.read()).split("\0")
        os.unlink(path)
    except OSError:
        return None  # they did not come to their end, or there was no room
    if len(values) != len(TOLD) + 1:
        return None
    return {name: value for name, value in zip(TOLD, values) if value}
