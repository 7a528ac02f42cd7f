"""``xpc doctor``: find the schedulers, try what jobs may do, and say what to write into a target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .failure import AT_FAULT, FINE, Stop
from .output import json_text

if TYPE_CHECKING:
    from xpc.runtime.schedulers.findings import Site
    from xpc.runtime.schedulers.trial import Target


@click.command()
@click.option("--target", metavar="NAME", help="Only this target's scheduler, asked as its block says.")
@click.option("--no-jobs", is_flag=True, help="Send no job: look, and try nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(target: str | None, no_jobs: bool, as_json: bool) -> int:
    """Say how xpc and the schedulers of this machine get on: limits, accounting, and what jobs may do on a node.

    It sends one tiny job to each scheduler and removes all traces of it. In a project it also compares each exported
    file with git. Exit status 1 if xpc can't be used there, or an export is not as it was made.

    \b
    Example:  xpc doctor --target mycluster
    """
    from xpc.runtime.schedulers.ask import ask
    from xpc.runtime.schedulers.findings import render_sites
    from xpc.runtime.schedulers.oar_site import find_oar
    from xpc.runtime.schedulers.slurm_site import find_slurm

    from .verified_exports import render_exports, verified_exports

    kind, folder, asked = target_of(target)
    finders = {"slurm": find_slurm, "oar": find_oar}
    sites = [site for name, find in finders.items() if kind in (None, name) and (site := find(ask)) is not None]
    for site in sites:
        if site.usable and not no_jobs:
            if not as_json:
                click.echo(f"Sending a tiny job to {site.kind} …", err=True)
            try_site(site, folder, asked)
    exports = verified_exports(folder)
    if as_json:
        found = {"schema": "xpc.doctor/1", "sites": [site.record() for site in sites]}
        click.echo(json_text({**found, "exports": [finding.record() for finding in exports]}))
    elif sites:
        click.echo(render_sites(sites))
    else:
        wanted = {"slurm": "SLURM", "oar": "OAR"}.get(kind or "", "SLURM or OAR")
        click.echo(f"There is no {wanted} on this machine: `sbatch` and `oarsub` are not on the path.")
    if exports and not as_json:
        click.echo("\n" + render_exports(exports))
    usable = all(site.usable for site in sites) and (bool(sites) or kind is None)
    whole = all(finding.verdict != "bad" for finding in exports)
    return FINE if usable and whole else AT_FAULT


def try_site(site: Site, folder: Path, asked: Target) -> None:
    from xpc.runtime.schedulers.trial_oar import try_oar
    from xpc.runtime.schedulers.trial_slurm import try_slurm

    try:
        (try_slurm if site.kind == "slurm" else try_oar)(site, folder, asked)
    except OSError as error:
        help = "go to a folder of yours that the nodes see too"
        site.bad("project folder", f"{error.filename or folder}: {error.strerror}", help)


def target_of(name: str | None) -> tuple[str | None, Path, Target]:
    """Give the kind of scheduler (none: all), the folder to try it in, and how jobs are asked for."""
    from xpc.runtime.schedulers.trial import Target

    from .session import FILE, Session, find_folder

    here = Path.cwd()
    if name is None:
        inside = any((above / FILE).is_file() for above in (here, *here.parents))
        return None, find_folder(here) if inside else here, Target()
    session = Session(find_folder(here), target=name)
    session.checked()
    target = session.target
    if target.kind == "local":
        raise Stop(AT_FAULT, f"error: target `{name}` is this machine\nhelp: `xpc doctor` alone looks for schedulers")
    options = target.options
    flags = {"slurm": ("account", "partition", "qos"), "oar": ("project", "queue")}[target.kind]
    return (
        target.kind,
        session.folder,
        Target(
            [f"--{flag}={options[flag]}" for flag in flags if options.get(flag)],
            str(options.get("python") or "python3"),
        ),
    )
