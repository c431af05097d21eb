"""The `course` command. Each subcommand's work is done in its own room; here it is only parsed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The course on custom gradients, for those who write and grade its exercises.",
    no_args_is_help=True,
    add_completion=False,
)


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


@app.command()
def grade(
    paths: Annotated[
        list[Path],
        typer.Argument(help="A notebook, or folders laid out as submitted/STUDENT/EXERCISE."),
    ],
    solutions: Annotated[
        Path | None, typer.Option(help="Where the rubrics are; by default the nearest solutions/.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Also write the grades here, as .csv or .json.")
    ] = None,
    feedback: Annotated[
        Path | None, typer.Option(help="Write a page of feedback for each student here.")
    ] = None,
    gradebook: Annotated[
        str | None,
        typer.Option(
            help="Write into nbgrader's gradebook: sqlite:///gradebook.db, or "
            "postgresql+psycopg://USER@HOST/DATABASE"
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many to grade at the same time.")] = 1,
    cluster: Annotated[
        str | None, typer.Option(help="Grade on the Dask scheduler at tcp://HOST:PORT.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run that was stopped left off.")
    ] = False,
    journal: Annotated[
        Path, typer.Option(help="Where a run notes what it has done, for --resume.")
    ] = Path(".course_grade.journal"),
    cell_seconds: Annotated[
        float, typer.Option(min=0.1, help="Time for a cell, and for a question's probes.")
    ] = 10.0,
    memory: Annotated[
        int, typer.Option(min=64, help="MiB that a submission may use beyond the libraries.")
    ] = 1024,
) -> None:
    """Grade submissions, each in a jail of its own: a table a student."""
    if sys.platform == "win32":
        typer.echo("Grading needs Linux or macOS; on Windows, run it inside WSL.", err=True)
        raise typer.Exit(2)
    from course_lib.grading.command import GradeOrder, Refused, grade_command

    order = GradeOrder(
        paths=paths,
        solutions=solutions,
        output=output,
        feedback=feedback,
        gradebook=gradebook,
        jobs=jobs,
        cluster=cluster,
        resume=resume,
        journal=journal,
        cell_seconds=cell_seconds,
        memory=memory,
    )
    try:
        grade_command(order)
    except Refused as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
