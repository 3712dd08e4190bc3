"""Commands for other programs: `export` (tables, studies, agents that run without evogen) and `track`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evogen.cli.options import Folder, notice
from evogen.errors import SpecError

if TYPE_CHECKING:
    from evogen.export.agent import Exported

CLOSE = 1e-6


def export(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN | RUN@WHICH", help="A run folder; or one candidate: best, COHORT:ROW, an id."
        ),
    ],
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="csv|parquet|optuna|DIR", help="The form of a run; an agent's new folder."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file of a run; one in the run folder by default.")
    ] = None,
    agent: Annotated[int, typer.Option(min=0, max=999, help="Which agent, in the order of birth.")] = 0,
    mean: Annotated[
        bool, typer.Option("--mean", help="The expected network in place of a born agent.")
    ] = False,
    episodes: Annotated[int, typer.Option(min=2, help="Behind an agent's expected return.")] = 100,
    without_onnx: Annotated[
        bool, typer.Option("--without-onnx", help="Leave out agent.onnx and run.py.")
    ] = False,
) -> None:
    """Write a run as a table or an Optuna study, or a candidate as an agent that runs without evogen."""
    import evogen
    from evogen.export import FORMS
    from evogen.runs import locate

    if to in FORMS:
        _form(what, to, out)
        return
    if "@" not in what:
        raise SpecError(
            f"--to {to}: a run is exported to {', '.join(FORMS)}; for one agent of it in the folder {to} "
            f"name a candidate: evogen export {what}@best --to {to}"
        )
    if out is not None:
        raise SpecError(f"--out {out}: an agent is written to the folder that --to names")
    from evogen.export.agent import export_agent

    folder, which = locate(what)
    with evogen.open(folder) as found:
        made = export_agent(
            found,
            found.resolve(which),
            Path(to),
            agent=None if mean else agent,
            episodes=episodes,
            with_onnx=not without_onnx,
        )
    _told(made)


def _form(what: str, to: str, out: Path | None) -> None:
    import evogen
    from evogen.export import export as write

    if "@" in what and not Path(what).exists():
        raise SpecError(
            f"--to {to} is a form of a whole run: name its folder alone, or for a new folder write ./{to}"
        )
    with evogen.open(what) as found:
        path = write(found, to, out)
    typer.echo(f"export: {path}")
    if to == "optuna":
        typer.echo(f"open it with: optuna-dashboard {path}")


def _told(made: Exported) -> None:
    card = made.card
    typer.echo(f"{card['what']}, candidate {card['candidate']} of {card['run']}: {made.folder}")
    expected, (low, high) = card["expected"], card["expected"]["interval"]
    name = "return" if "return" in expected else "score"
    typer.echo(f"expected {name} {expected[name]:.4g}, 95 % interval {low:.4g} to {high:.4g}")
    where = f"{expected['episodes']} fresh episodes" if name == "return" else expected["measured on"]
    typer.echo(f"measured on {where}")
    differ = card["checked"]["largest relative difference"]
    typer.echo(
        f"outputs differ by {', '.join(f'{name} {value:.1g}' for name, value in differ.items())} at most"
    )
    if max(differ.values()) > CLOSE:
        notice("this network amplifies rounding: its outputs are not those of the search to 1e-6")
    if "agent.onnx" in differ:
        typer.echo(f"try it: python {made.folder / 'run.py'}")


def track(
    folder: Folder,
    *,
    to: Annotated[
        list[str],
        typer.Option("--to", metavar="KIND:PLACE", help="tensorboard:DIR or mlflow:URI; repeatable."),
    ],
) -> None:
    """Tell a run that is there to TensorBoard or MLflow, from where it was last told."""
    from evogen.trackers import track as tell

    for name, cohorts in tell(folder, to).items():
        typer.echo(f"{name}: {cohorts} cohorts")


COMMANDS = (export, track)
