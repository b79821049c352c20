"""The command line: ``leifeng``. Of its commands only the one that was asked for is read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pkgutil import resolve_name

import typer

from api.processes.gc import resting
from ledger.kernel.errors import LedgerError
from ledger.store.engine import DATABASE_TROUBLE

COMMANDS = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "token": "token:app",
    "person": "person:app",
    "audit": "audit:app",
    "witness": "witness:app",
    "vault": "vault:app",
    "replay": "replay:replay",
    "export": "export:export",
    "import": "import_:import_",
    "rebuild": "rebuild:rebuild",
    "migrate": "migrate:migrate",
    "copy": "copy:copy",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "generate": "generate:generate",
}
"""The module and name of each: a function, or an ``app`` of several commands."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; say what went wrong in one sentence, with 2 for usage and 1 for the rest."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = _read(words)(words, standalone_mode=False)
    except typer.Abort:
        _complain("stopped", 130)
    except typer.TyperException as error:
        _complain(error.format_message(), error.exit_code)
    except LedgerError as error:
        _complain(str(error), 1)
    except OSError as error:
        _complain(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), 1)
    except DATABASE_TROUBLE as error:
        _complain(f"the database cannot be used: {getattr(error, 'orig', error)}", 1)
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _read(words: Sequence[str]) -> typer.Typer:
    """Return the command line with the command that ``words`` begin with, or with all of them."""
    app = typer.Typer(
        name="leifeng",
        help="The ledger of the Lei Feng e-supermarket (雷锋e超市).",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)  # So that it has commands, even if it is only one.
    first = next((word for word in words if not word.startswith("-")), None)
    with resting():
        for name in [first] if first in COMMANDS else COMMANDS:
            command = resolve_name(f"api.cli.{COMMANDS[name]}")
            if isinstance(command, typer.Typer):
                app.add_typer(command, name=name)
            else:
                app.command(name)(command)
    return app


def _complain(sentence: str, code: int) -> None:
    if sentence:  # What shows all its help has nothing to add.
        sys.stderr.write(f"leifeng: {' '.join(sentence.split())}\n")
    sys.exit(code)
