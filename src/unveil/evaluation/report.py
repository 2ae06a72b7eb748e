"""Results as markdown tables, and putting them where a document marks their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unveil.errors import DataError
from unveil.evaluation import reliability, segmentation
from unveil.files import atomic_path

HEADER = (
    "| model | PSNR, pasted | PSNR, raw | PSNR, hidden part | SSIM, pasted | SSIM, hidden part "
    "| perceptual distance | mask IoU | ms |",
    "|---|---|---|---|---|---|---|---|---|",
)


def read_results(path: Path) -> dict[str, Any]:
    """A results JSON of `benchmark.evaluate`.

    Raises:
        DataError: it cannot be read or is no such file.
    """
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: no results that can be read: {error}") from None
    if not isinstance(results, dict) or not {"protocol", "data"} <= results.keys():
        raise DataError(f"{path}: not a results file of `unveil evaluate`")
    return results


def markdown(results: dict[str, Any]) -> str:
    """The tables of any results file of `unveil evaluate`, without a final newline."""
    if results["protocol"] == "segmenter":
        return segmentation.markdown(results)
    if results["protocol"] == "reliability":
        return reliability.markdown(results)
    return _tables(results)


def _tables(results: dict[str, Any]) -> str:
    """One table for each mask set.

    PSNR carries its 95 % interval. Published numbers have a row of their own, for they were taken
    on other faces and their authors do not say whether known pixels were put back.
    """
    data = results["data"]
    blocks = [
        f"{data['faces']:,} faces ({data['name']}), masks of seed {results['seed']}; "
        "mean and 95 % interval; ms: median for one face on one thread."
    ]
    for mask_set in results["sets"].values():
        lines = [f"**{mask_set['label']}**", "", *HEADER]
        lines += [_row(name, scores) for name, scores in mask_set["models"].items()]
        if mask_set["published_psnr"] is not None:
            published = f"{mask_set['published_psnr']:.2f}"
            lines.append(
                f"| *published by the paper, on other faces; pasted or raw is not said* "
                f"| {published} | | | | | | | |"
            )
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _row(name: str, scores: dict[str, Any]) -> str:
    psnr = [_interval(scores[key]) for key in ("psnr_pasted", "psnr_raw", "psnr_hidden")]
    ssim = [f"{scores[key]['mean']:.4f}" for key in ("ssim_pasted", "ssim_hidden_pasted")]
    perceptual = f"{scores['perceptual']['mean']:.4f}" if "perceptual" in scores else ""
    mask = f"{scores['mask_iou']['mean']:.3f}" if "mask_iou" in scores else ""
    cells = [name, *psnr, *ssim, perceptual, mask, f"{scores['ms_per_face']:.0f}"]
    return f"| {' | '.join(cells)} |"


def _interval(value: dict[str, float]) -> str:
    return f"{value['mean']:.2f} ({value['low']:.2f} to {value['high']:.2f})"


def marked_text(document: str, protocol: str) -> str:
    """The text between `<!-- results:NAME -->` and `<!-- /results:NAME -->`, ends stripped.

    Raises:
        DataError: the markers are missing.
    """
    start, end = _markers(document, protocol)
    return document[start:end].strip()


def replace_marked(document: str, results: dict[str, Any]) -> str:
    """The document with its results of this protocol brought up to date.

    Raises:
        DataError: the markers are missing.
    """
    start, end = _markers(document, results["protocol"])
    return f"{document[:start]}\n{markdown(results)}\n{document[end:]}"


def update_file(path: Path, results: dict[str, Any]) -> None:
    """`replace_marked` on a file, at once or not at all.

    Raises:
        DataError: the file cannot be read or written, or has no markers.
    """
    try:
        text = replace_marked(path.read_text(encoding="utf-8"), results)
        with atomic_path(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None


def _markers(document: str, protocol: str) -> tuple[int, int]:
    opening, closing = f"<!-- results:{protocol} -->", f"<!-- /results:{protocol} -->"
    start, end = document.find(opening), document.find(closing)
    if not 0 <= start < end:
        raise DataError(f"the document lacks the markers {opening} and {closing}")
    return start + len(opening), end
