"""The command line: thin shells over public functions. Mistakes cost one sentence and exit code 2."""

import sys
from collections.abc import Callable
from typing import Any, Never

import tyro

from jaxdl import configuration
from jaxdl.cli.compare import Compare
from jaxdl.cli.landscape import Landscape
from jaxdl.cli.sweep import Sweep


def main(arguments: list[str] | None = None) -> Never:
    """Entry point of the ``jaxdl`` command.

    It ends with 0 when done, 1 where ``--verify`` found results that differ, 2 after a mistake, 130 when interrupted.
    """
    from rich.console import Console

    commands: dict[str, Callable[..., Any]] = {"compare": Compare, "sweep": Sweep, "landscape": Landscape}
    command: Compare | Sweep | Landscape = tyro.extras.subcommand_cli_from_dict(commands, prog="jaxdl", args=arguments)
    try:
        # Before JAX starts: every core becomes a device, and compiled programs are kept for the next run.
        configuration.configure(devices=configuration.cores(), cache=True)
        code = command.run(Console())
    except (ValueError, TypeError, OSError) as error:
        print(f"jaxdl: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"jaxdl: interrupted; {command.when_interrupted}", file=sys.stderr)
        sys.exit(130)
    sys.exit(code)
