"""The `course` command. Each subcommand's work is done in its own room; here it is only parsed."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The course on custom gradients, for those who write and grade its exercises.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def course() -> None:
    """Keep `course generate` a subcommand, however many there are."""


@app.command()
def generate(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if anything is out of date.")
    ] = False,
    solutions: Annotated[Path, typer.Option(help="Where the exercises come from.")] = Path(
        "solutions"
    ),
    exercises: Annotated[Path, typer.Option(help="Where they are written to.")] = Path("exercises"),
) -> None:
    """Write exercises/ from solutions/: the same notebooks, without the answers."""
    from course_lib.grading.generate import drifted, write_exercises
    from course_lib.grading.shelf import ExerciseError

    if not any(solutions.glob("*/rubric.py")):
        typer.echo(
            f"There is no exercise in {solutions}; run this in the course's folder.", err=True
        )
        raise typer.Exit(2)
    try:
        changed = (drifted if check else write_exercises)(solutions, exercises)
    except ExerciseError as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(2) from None
    for path in changed:
        typer.echo(f"{path} {'is not what solutions/ generates' if check else 'written'}")
    if not changed:
        typer.echo(f"{exercises} is up to date.")
    if check and changed:
        typer.echo("Change the source in solutions/ instead, then run: course generate")
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
