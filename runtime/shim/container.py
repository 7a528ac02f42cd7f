"""A run's command to the same command inside a container: its folders at the same paths, its user, its signals."""

from __future__ import annotations

import os
import re
import shutil
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from . import environment_record, template
from .digest import blake2b
from .verdict import Cause
from .workdir import SNAPSHOTS, Workdir, WorkdirError

RUNTIMES = ("podman", "docker", "apptainer")
INITS = ("/usr/libexec/podman/catatonit", "/usr/lib/podman/catatonit", "/usr/bin/catatonit")
# Variables of the job that a program may ask for: which GPUs, which nodes.
PASSED = ("CUDA_", "NVIDIA_", "ROCR_", "HIP_", "ZE_", "SLURM_", "OAR_")
# A runtime would take these for its own: their values are written out, which is right for all but secrets.
WRITTEN = ("PATH", "HOME", "USER", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "XDG_RUNTIME_DIR", "XDG_DATA_HOME")
REFUSED = re.compile(r"^(Error|docker|FATAL|INFO|WARNING|time=)|OCI runtime|error during connect")
NO_COMMAND = re.compile(r"executable file .*not found")
NO_IMAGE = re.compile(
    r"no such image|manifest unknown|unable to find|initializing source|pull access denied|no such host|not known|"
    r"could not open image|unable to handle|did not resolve|image not known|unable to copy|repository",
    re.IGNORECASE,
)


class Wrapped(NamedTuple):
    """What to start instead of a program: *at* is where more options may be put in, *remove* ends its container."""

    argv: List[str]
    at: int
    env: Dict[str, str]
    remove: Optional[List[str]]


class Box:
    """The container of one attempt. *declared* is the plan's, *name* is what its runtime calls it."""

    def __init__(self, declared: Mapping[str, Any], context: template.Context, environ: Mapping[str, str]) -> None:
        self._context = context
        self._environ = environ
        self._program = ""
        self.image = template.text(declared["image"], context)
        self.runtime: str = declared["runtime"] or default_runtime(environ.get("PATH"))
        where = blake2b(context.project.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
        self.name = "xpc-%s-%d-%s" % (context.run.id, context.attempt, where)
        self._mounts = [
            (os.path.join(context.project, template.text(mount["path"], context)), template.text(mount["at"], context))
            for mount in declared["mounts"]
        ]

    def wrap(
        self,
        argv: Sequence[str],
        workdir: Workdir,
        links: Sequence[Tuple[str, str]],
        build: str,
        own: Mapping[str, str],
        secrets: Sequence[str],
    ) -> Wrapped:
        """Put a command into the container; *own* are the variables that it gets. Raises `WorkdirError`."""
        self._program = argv[0] if argv else ""
        binds = list(self._binds(workdir, links, build))
        env = dict(self._environ)
        if self.runtime == "apptainer":
            return self._apptainer(argv, workdir, binds, env, self._variables(own))
        words = [self.runtime, "run", "--rm", "--name", self.name, "--workdir", workdir.cwd, "--entrypoint", ""]
        words += self._as_user()
        for source, place, mode in binds:
            words += ["--volume", "%s:%s:%s" % (source, place, mode)]
        if self._context.request.get("gpus"):
            words += ["--device", "nvidia.com/gpu=all"] if self.runtime == "podman" else ["--gpus", "all"]
        for name, value in self._variables(own).items():
            if name in WRITTEN and name not in secrets:
                words += ["--env", "%s=%s" % (name, value)]
            else:
                words += ["--env", name]  # its value comes from the runtime's own environment: nobody sees it in `ps`
                env[name] = value
        return Wrapped([*words, self.image, *argv], len(words), env, self._remove())

    def _apptainer(
        self,
        argv: Sequence[str],
        workdir: Workdir,
        binds: Sequence[Tuple[str, str, str]],
        env: Dict[str, str],
        variables: Mapping[str, str],
    ) -> Wrapped:
        words = [self.runtime, "exec", "--cleanenv", "--pwd", workdir.cwd]
        for source, place, mode in binds:
            words += ["--bind", "%s:%s:%s" % (source, place, mode)]
        if self._context.request.get("gpus"):
            words.append("--rocm" if "ROCR_VISIBLE_DEVICES" in self._environ else "--nv")
        env.update({"APPTAINERENV_" + name: value for name, value in variables.items()})
        return Wrapped([*words, self.image, *argv], len(words), env, None)

    def _as_user(self) -> List[str]:
        """Keep the user: what a run writes belongs to whoever started it. An init passes signals on where there is one:
        the first process of a container ignores those that it has no handler for."""
        user = "%d:%d" % (os.getuid(), os.getgid())
        if self.runtime == "docker":
            return ["--user", user, "--init"]
        init = ["--init"] if any(map(os.path.exists, INITS)) or shutil.which("catatonit") else []
        mine = ["--userns", "keep-id"] if os.getuid() else ["--user", user]
        return [*mine, "--security-opt", "label=disable", *init]

    def _binds(self, workdir: Workdir, links: Sequence[Tuple[str, str]], build: str) -> Iterator[Tuple[str, str, str]]:
        """Give source, place and mode of each folder that the run can see: only its own can it write to, and links."""
        project, folder = self._context.project, self._context.folder
        seen: Dict[str, Tuple[str, str]] = {}
        if workdir.cwd == project:
            seen[project] = (project, "rw")
        seen[os.path.join(project, "runs")] = (os.path.join(project, "runs"), "ro")
        seen[os.path.join(project, SNAPSHOTS)] = (os.path.join(project, SNAPSHOTS), "ro")
        seen[os.path.abspath(build)] = (os.path.abspath(build), "ro")
        git = _git_folder(workdir)
        if git is not None:
            seen[git] = (git, "ro")
        for _, path in links:
            place = os.path.normpath(os.path.join(project, path))
            seen[place] = (place, "rw")
        seen[folder] = (folder, "rw")
        for source, place in self._mounts:
            source = os.path.normpath(source)
            if not os.path.exists(source):
                raise WorkdirError("`%s`, to be mounted at `%s`, is not there" % (source, place))
            seen[place] = (source, "rw")
        for place, (source, mode) in seen.items():
            for path in (source, place):
                if ":" in path or (self.runtime == "apptainer" and "," in path):
                    raise WorkdirError("`%s` can't be mounted: there is a `:` or `,` in it" % path)
            yield source, place, mode

    def program(
        self, argv: Sequence[str], cwd: str, own: Mapping[str, str], secrets: Sequence[str]
    ) -> environment_record.Program:
        """Give what the record of the environment is made of: the variables are those inside."""
        file = self.runtime == "apptainer" and "://" not in self.image
        image = os.path.join(cwd, self.image) if file else self.image
        inside = self._variables(own)
        return environment_record.Program(argv, inside, cwd, secrets, (self.runtime, image), self._environ)

    def _variables(self, own: Mapping[str, str]) -> Dict[str, str]:
        given = {name: value for name, value in self._environ.items() if name.startswith(PASSED)}
        return {**given, **own}

    def kill(self, number: int) -> List[str]:
        """Give the command that sends a signal to the program inside."""
        return [self.runtime, "kill", "--signal", str(number), self.name]

    def _remove(self) -> List[str]:
        if self.runtime == "podman":
            return [self.runtime, "rm", "--force", "--ignore", "--time", "0", self.name]
        return [self.runtime, "rm", "--force", self.name]

    def refusal(self, code: Optional[int], said: str) -> Optional[Cause]:
        """Say what a runtime's own exit status means; nothing if it is the program's. *said* is the end of stderr."""
        lines = [line for line in said.splitlines() if line.strip()]
        last = lines[-1].strip() if lines else ""
        codes = (255,) if self.runtime == "apptainer" else (125, 126, 127)
        if code not in codes or not any(REFUSED.search(line) for line in lines[-3:]):
            return None
        if code == 127 or NO_COMMAND.search(last):
            if self._program == "bash":
                return Cause(
                    "failed", "the image %s has no bash, which texts with shell syntax need" % self.image, code
                )
            return Cause("failed", "command not found in the image %s" % self.image, code)
        if code == 126:
            return Cause("failed", "not executable in the image %s" % self.image, code)
        what = "image not there: %s" % self.image if NO_IMAGE.search(said) else "its container can't be started"
        return Cause("failed", "%s (%s)" % (what, last[:200]), code)


def default_runtime(path: Optional[str]) -> str:
    """Give the first runtime that is found; raises `WorkdirError` if there is none."""
    for runtime in RUNTIMES:
        if shutil.which(runtime, path=path):
            return runtime
    raise WorkdirError("it is to run in a container, and none of %s is found here" % ", ".join(RUNTIMES))


def _git_folder(workdir: Workdir) -> Optional[str]:
    """Give the repository that the export's private git directory leads to."""
    private = workdir.export + ".git"
    try:
        with open(os.path.join(private, "commondir")) as file:
            found = os.path.normpath(os.path.join(private, file.read().strip()))
    except OSError:
        return None
    return found if os.path.isdir(found) else None
