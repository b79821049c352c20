"""The command line: ``leifeng``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from api.cli import (
    audit,
    backup,
    copy,
    demo,
    export,
    generate,
    import_,
    migrate,
    person,
    rebuild,
    replay,
    serve,
    token,
    vault,
    witness,
)
from ledger.errors import LedgerError
from ledger.store.engine import DATABASE_TROUBLE

app = typer.Typer(
    name="leifeng",
    help="The ledger of the Lei Feng e-supermarket (雷锋e超市).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.add_typer(token.app, name="token")
app.add_typer(person.app, name="person")
app.add_typer(audit.app, name="audit")
app.add_typer(witness.app, name="witness")
app.add_typer(vault.app, name="vault")
app.command("replay")(replay.replay)
app.command("export")(export.export)
app.command("import")(import_.import_)
app.command("rebuild")(rebuild.rebuild)
app.command("migrate")(migrate.migrate)
app.command("copy")(copy.copy)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("generate")(generate.generate)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; say what went wrong in one sentence, with 2 for usage and 1 for the rest."""
    try:
        code = app(arguments, standalone_mode=False)
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


def _complain(sentence: str, code: int) -> None:
    sys.stderr.write(f"leifeng: {' '.join(sentence.split())}\n")
    sys.exit(code)
