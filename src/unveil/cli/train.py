"""unveil train"""

from __future__ import annotations

import dataclasses
import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from unveil.cli.options import EMPTY, OUT, Split, Without, some_path
from unveil.errors import UsageError

# A training step on a CPU allocates and frees hundreds of megabytes. By default glibc gives them
# back to the system and faults them in anew each time, which takes 40 % of a step; and two OpenMP
# threads that spin collapse when anything else uses a core. Both are read at start only.
CPU_ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=8589934592:"
    "glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=1073741824",
    "OMP_WAIT_POLICY": "PASSIVE",
}


def train(
    preset: Annotated[
        str, typer.Option(help="paper, lite, segmenter, aligner, unet, shiftnet, picnet.")
    ],
    data: Annotated[
        list[str],
        typer.Option(
            help="Folder, .tar or index.csv of aligned faces; give it again for more. With "
            "--stream: .tar files, folders or patterns of them, also behind a URL."
        ),
    ],
    out: Annotated[
        Path, typer.Option(*OUT, help="Folder for checkpoints, logs and samples.", parser=some_path)
    ],
    split: Split = "",
    without: Without = None,
    validation: Annotated[
        Path | None,
        typer.Option(
            help="Validation faces, the first 48 of them; default: of the data.", parser=some_path
        ),
    ] = None,
    validation_split: Annotated[str, typer.Option(help="As --split, for --validation.")] = "",
    stream: Annotated[
        int | None,
        typer.Option(
            help="Read the faces from tars as they come, in N lanes (try 8), for data that is too "
            "large for a cache of all; 0: off."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    init_from: Annotated[
        Path | None,
        typer.Option(help="Start from the networks of this checkpoint.", parser=some_path),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the faces.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Faces a step.")] = None,
    micro_batch_size: Annotated[
        int | None, typer.Option(help="Faces at a time; gradients add up to a batch.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of all Adams.")] = None,
    pixel_weight: Annotated[
        float | None, typer.Option(help="paper, peers: lambda, the weight of L1.")
    ] = None,
    hidden_weight: Annotated[
        float | None,
        typer.Option(
            help="paper: weight of hidden pixels in the face's L1; unet, shiftnet: of a further L1 "
            "over them."
        ),
    ] = None,
    occluders: Annotated[
        str | None,
        typer.Option(
            help="paper: rectangles of its section 3.3; mixed: also of 10 to 30 % of the image; "
            "all: also strokes and realistic ones (not for --preset paper)."
        ),
    ] = None,
    objects: Annotated[
        float | None,
        typer.Option(help="Share of realistic occluders with --occluders all, below 1."),
    ] = None,
    occluder_files: Annotated[
        Path | None,
        typer.Option(help="Folder of RGBA occluders for --occluders all.", parser=some_path),
    ] = None,
    prior: Annotated[
        Path | None,
        typer.Option(
            help="lite: file of unveil fit-prior; without: that of --init-from, or grey.",
            parser=some_path,
        ),
    ] = None,
    misaligned: Annotated[
        float | None, typer.Option(help="lite: share of faces that are turned and shifted.")
    ] = None,
    varied: Annotated[
        float | None,
        typer.Option(help="lite: share of faces in another light, before another wall, cut off."),
    ] = None,
    perceptual_weight: Annotated[
        float | None, typer.Option(help="lite: weight of the distance in SqueezeNet's features.")
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(
            help="segmenter: folder of aligned faces behind real occluders, NAME.png, and their "
            "masks, NAME.mask.png.",
            parser=some_path,
        ),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            help="lite, segmenter, aligner: squeezenet_weights.pkl of the package ndf 0.1.4.",
            parser=some_path,
        ),
    ] = None,
    adversarial_weight: Annotated[
        float | None, typer.Option(help="lite, peers: weight of the discriminator beside L1.")
    ] = None,
    guidance_weight: Annotated[
        float | None, typer.Option(help="shiftnet: weight of the guidance loss.")
    ] = None,
    kl_weight: Annotated[float | None, typer.Option(help="picnet: weight of the KL terms.")] = None,
    code: Annotated[bool | None, typer.Option(help="lite: a learned code a place.")] = None,
    mirror: Annotated[bool | None, typer.Option(help="lite: the mirrored half.")] = None,
    attention: Annotated[bool | None, typer.Option(help="lite: attention at 1/16.")] = None,
    overview: Annotated[bool | None, typer.Option(help="lite: a look at the whole face.")] = None,
    window: Annotated[
        int | None,
        typer.Option(help="lite: side in pixels of the window of each face that is trained on."),
    ] = None,
    clean: Annotated[
        float | None, typer.Option(help="segmenter: share of faces that nothing hides.")
    ] = None,
    width: Annotated[float | None, typer.Option(help="Channels relative to the preset's.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of the faces in pixels.")] = None,
    adversarial_from: Annotated[
        int | None, typer.Option(help="paper, peers: faces seen before the discriminators join in.")
    ] = None,
    conv_mean: Annotated[
        float | None,
        typer.Option(help="paper: mean of initial convolution weights: 0, or 1 as it is written."),
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="paper: rate in the first five downs, below 1.")
    ] = None,
    mask_every: Annotated[
        int | None, typer.Option(help="paper: train the mask branch on every n-th step.")
    ] = None,
    sharp_every: Annotated[
        int | None, typer.Option(help="lite: train the sharp output on every n-th step.")
    ] = None,
    ema: Annotated[
        float | None, typer.Option(help="Decay of the averaged weights, below 1; 0: off.")
    ] = None,
    flip: Annotated[bool | None, typer.Option(help="Mirror half of the faces.")] = None,
    static_occluders: Annotated[
        bool | None, typer.Option(help="paper: one rectangle a face for the whole run.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of all that is random.")] = None,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    devices: Annotated[
        int, typer.Option(help="Devices or processes; under torchrun leave it out.")
    ] = 1,
    nodes: Annotated[int, typer.Option(help="Machines; under torchrun leave it out.")] = 1,
    precision: Annotated[str, typer.Option(help="32-true, bf16-mixed, 16-mixed.")] = "32-true",
    sample_every: Annotated[int, typer.Option(help="Batches between sample grids.")] = 20,
    checkpoint_every: Annotated[int, typer.Option(help="Batches between checkpoints.")] = 100,
    max_minutes: Annotated[float, typer.Option(help="Stop after so many minutes; 0: never.")] = 0.0,
) -> None:
    """Train a model. Ctrl-C stops it with a checkpoint, --resume goes on.

    The settings of a run come from its preset; options change them one by one. docs/training.md
    has the presets' values. The peers are unet, shiftnet and picnet.
    """
    _tune_process(accelerator)
    from unveil.data.faces import Faces, load_faces
    from unveil.data.stream import open_stream
    from unveil.training import processes
    from unveil.training.loop import LAST
    from unveil.training.loop import train as run
    from unveil.training.presets import PRESETS
    from unveil.training.run_options import RunOptions

    if preset not in PRESETS:
        raise UsageError(f"--preset {preset}: choose from {', '.join(PRESETS)}")
    changes: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "micro_batch_size": micro_batch_size,
        "learning_rate": learning_rate,
        "pixel_weight": pixel_weight,
        "hidden_weight": hidden_weight,
        "occluders": occluders,
        "objects": objects,
        "adversarial_from": adversarial_from,
        "conv_mean": conv_mean,
        "dropout": dropout,
        "mask_every": mask_every,
        "sharp_every": sharp_every,
        "ema": ema,
        "flip": flip,
        "stream": stream,
        "static_occluders": static_occluders,
        "seed": seed,
        "prior": None if prior is None else str(prior),
        "misaligned": misaligned,
        "varied": varied,
        "perceptual_weight": perceptual_weight,
        "features": None if features is None else str(features),
        "examples": None if examples is None else str(examples),
        "adversarial_weight": adversarial_weight,
        "guidance_weight": guidance_weight,
        "kl_weight": kl_weight,
        "code": code,
        "mirror": mirror,
        "attention": attention,
        "overview": overview,
        "window": window,
        "clean": clean,
        "width": width,
        "size": size,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    known = {field.name for field in dataclasses.fields(PRESETS[preset])}
    for name in changes:
        if name not in known:
            raise UsageError(f"--{name.replace('_', '-')} is no setting of --preset {preset}")
    if batch_size and micro_batch_size is None:
        # As much at a time as the preset says, of a batch that it may not divide.
        changes["micro_batch_size"] = _largest_divisor(batch_size, PRESETS[preset].micro_batch_size)
    config = dataclasses.replace(PRESETS[preset], **changes)
    if validation_split and validation is None:
        raise UsageError("--validation-split needs --validation, whose rows it chooses")
    if config.occluders != "all":
        for option, given in (("objects", objects), ("occluder-files", occluder_files)):
            if given is not None:
                raise UsageError(
                    f"--{option} is for --occluders all, and this run has {config.occluders}"
                )
    if preset == "lite" and features and not (perceptual_weight or adversarial_weight):
        raise UsageError("--features is for --perceptual-weight and --adversarial-weight")
    options = RunOptions(
        accelerator=accelerator,
        devices=devices,
        nodes=nodes,
        precision=precision,
        sample_every=sample_every,
        checkpoint_every=checkpoint_every,
        max_minutes=max_minutes,
        resume=resume,
        init_from=init_from,
        occluders=occluder_files,
    )
    for source in data:
        if not source:
            raise UsageError(f"--data {EMPTY}")
        if "://" in source and not config.stream:
            raise UsageError(f"--data {source}: a URL needs --stream N (try 8)")
    if config.stream and split:
        raise UsageError("--split belongs to an index.csv, --stream reads .tar files")
    if config.stream and without:
        raise UsageError("--without is not for --stream, which takes all that its tars hold")
    fabric = processes.start(options)
    processes.share_of_process(config, fabric.world_size)  # before faces are decoded for nothing
    n = options.validation_faces
    faces: Faces
    load = partial(load_faces, size=config.size, turns=config.worn, without=without)
    # One process of each machine fills the cache, the others find it full.
    lost = processes.notice_losses(fabric, out / LAST)
    with lost, fabric.rank_zero_first(local=True):
        if config.stream:
            faces = open_stream(data, size=config.size, streams=config.stream)
            held_out = faces.first(n) if validation is None else None
        else:
            faces = load([Path(p) for p in data], split=split)
            held_out = faces.first(n)
        if validation is not None:
            held_out = load([validation], split=validation_split)
    assert held_out is not None
    if preset == "lite" and not (prior or init_from or resume) and fabric.is_global_zero:
        typer.echo("unveil: without --prior this is an experiment: no model to export", err=True)
    result = run(faces, held_out, config, options, out, fabric)
    if fabric.is_global_zero:
        state = "finished" if result.finished else "stopped; --resume goes on"
        typer.echo(f"{state}: step {result.step}, {result.faces_seen:,} faces, {result.checkpoint}")


def _largest_divisor(number: int, most: int) -> int:
    """The largest divisor of a number up to `most`; 1 where the number is none."""
    return next((n for n in range(most, 1, -1) if number % n == 0), 1)


def _tune_process(accelerator: str) -> None:
    """On Linux without a GPU, start this process anew with what makes a CPU train faster."""
    missing = {k: v for k, v in CPU_ENVIRONMENT.items() if k not in os.environ}
    if not missing or not sys.platform.startswith("linux") or accelerator not in ("auto", "cpu"):
        return
    if accelerator == "auto":
        import torch

        if torch.cuda.is_available():
            return
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | missing)
