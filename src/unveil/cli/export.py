"""unveil export"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unveil.cli.options import OUT, Split, check_place, some_path
from unveil.errors import UsageError
from unveil.names import leads_out

NON_COMMERCIAL = "non-commercial research only (trained on CelebA)"


def export(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT", help="A checkpoint of `unveil train`.", parser=some_path
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            *OUT,
            help="FILE.onnx; with --name a folder; or FILE.ckpt, small, for --init-from.",
            parser=some_path,
        ),
    ],
    branch: Annotated[
        str, typer.Option(help="face, mask or align: what FILE.onnx holds.")
    ] = "face",
    name: Annotated[
        str, typer.Option(help="Write both branches and list them as NAME in manifest.json.")
    ] = "",
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="With --name: faces not of the training, to check the file and to calibrate "
            "the stated error.",
            parser=some_path,
        ),
    ] = None,
    split: Split = "",
    training_data: Annotated[
        str, typer.Option(help="With --name: what the model was trained on, for the manifest.")
    ] = "",
    licence: Annotated[str, typer.Option(help="With --name: licence of the weights.")] = (
        NON_COMMERCIAL
    ),
    full: Annotated[bool, typer.Option("--full", help="Store float32, not float16.")] = False,
    mix_with: Annotated[
        Path | None,
        typer.Option(
            metavar="CHECKPOINT",
            help="With -o FILE.ckpt: mix the weights with those of this one, from which "
            "CHECKPOINT was trained on.",
            parser=some_path,
        ),
    ] = None,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="With --mix-with: how much of it, 0 to 1.")
    ] = 0.5,
) -> None:
    """Turn a checkpoint into the ONNX file of the runtime."""
    if branch not in ("face", "mask", "align"):
        raise UsageError(f"--branch {branch}: face, mask or align")
    if bool(name) == (output.suffix in (".onnx", ".ckpt")):
        raise UsageError("give -o FILE.onnx, -o FILE.ckpt, or --name NAME and -o FOLDER")
    _check_name(name)
    if name and not (data and training_data):
        raise UsageError("--name needs --data and --training-data")
    if name and full:
        raise UsageError("--name lists files in float16: leave out --full")
    if name and branch != "face":
        raise UsageError("--name writes all branches: leave out --branch")
    if not name:
        _check_file(
            output,
            for_name={
                "data": bool(data),
                "split": bool(split),
                "training-data": bool(training_data),
                "licence": licence != NON_COMMERCIAL,
            },
            for_onnx={"branch": branch != "face", "full": full},
        )
    if mix_with and output.suffix != ".ckpt":
        raise UsageError("--mix-with is for -o FILE.ckpt; export that file then")
    if share != 0.5 and not mix_with:
        raise UsageError("--share needs --mix-with")
    from unveil.cli.outputs import check_apart

    if not name:
        check_place(output)
        check_apart(
            {"-o": [output]},
            {
                "the checkpoint": [checkpoint],
                "the checkpoint of --mix-with": [mix_with] if mix_with else [],
            },
        )
    elif output.exists() and not output.is_dir():
        raise UsageError(f"-o {output}: a file, where --name needs a folder")
    if output.suffix == ".ckpt":
        from unveil.training.checkpoint import compact

        compact(checkpoint, output, mix_with, share)
        return
    from unveil.data.faces import load_faces
    from unveil.export.manifest import export_model
    from unveil.export.onnx import export as write
    from unveil.export.onnx import exportable
    from unveil.training.checkpoint import load

    if not name:
        networks = {network.role: network for network in exportable(load(checkpoint), checkpoint)}
        if branch not in networks:
            raise UsageError(f"--branch {branch}: the checkpoint has {', '.join(networks)}")
        write(networks[branch], output, half=not full)
        return
    faces = load_faces(data or [], split=split).faces
    export_model(
        checkpoint,
        output,
        name,
        faces,
        licence=licence,
        training_data=training_data,
        tell=typer.echo,
    )


def _check_name(name: str) -> None:
    """Refuse what leads out of the folder, or what `--models FOLDER/NAME` would not find."""
    if leads_out(name) or "/" in name or name == ".":
        raise UsageError(f"--name {name}: files of the folder are called so; give no path")
    if name != name.strip() or name.endswith(".onnx") or any(mark in name for mark in "@+,"):
        raise UsageError(
            f"--name {name}: `--models` would not find it: leave out @ + and , and spaces around "
            "it, and .onnx at its end"
        )


def _check_file(output: Path, for_name: dict[str, bool], for_onnx: dict[str, bool]) -> None:
    """Refuse options, given or not, that a single file has no use for."""
    for option in (option for option, given in for_name.items() if given):
        raise UsageError(f"--{option} is for --name NAME and -o FOLDER, not for -o {output}")
    for option in (option for option, given in for_onnx.items() if given):
        if output.suffix == ".ckpt":
            raise UsageError(f"--{option} is for -o FILE.onnx, not for -o {output}")
