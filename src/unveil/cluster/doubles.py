"""Files of a data set whose rows are all in others, too.

A command that is killed leaves files that no manifest was told of. The next one cuts its blocks
anew, and so the same rows come again, in files of other names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from hashlib import sha256

from unveil.cluster.places import Place


def file_name(names: Iterable[str]) -> str:
    """What the file of these rows is called.

    The same block gives the same file, should a worker die before its rows are told.
    """
    key = sha256("\n".join(sorted(names)).encode()).hexdigest()[:24]
    return f"{key}.parquet"


def may_double(
    target: Place, held: Mapping[str, Collection[str]], coming: Collection[str]
) -> dict[str, datetime]:
    """The files that a job may make superfluous, and when they were written; of ours only.

    Args:
        target: a data set.
        held: the names in each of its files before the job, of `Place.names_by_file`.
        coming: the names that the job may write.

    Raises:
        DataError: the target cannot be read.
    """
    times = Counter(name for names in held.values() for name in names)
    found: dict[str, datetime] = {}
    for file, names in held.items():
        again = all(name in coming or times[name] > 1 for name in names)
        if again and file == file_name(names):
            written = target.written(file)
            if written is not None:
                found[file] = written
    return found


def drop_doubles(target: Place, older: Mapping[str, datetime]) -> None:
    """Delete files of which each row is in another file now.

    Those that were written anew since stay. The oldest goes first: what later jobs wrote holds its
    rows, but it seldom holds all of theirs.

    Args:
        target: a data set.
        older: of `may_double`.

    Raises:
        DataError: the target cannot be read.
        ClusterError: a file cannot be deleted.
    """
    if not older:
        return
    held = target.names_by_file()
    times = Counter(name for names in held.values() for name in names)
    for file in sorted(older, key=older.__getitem__):
        names = held.get(file, [])
        double = len(names) > 0 and all(times[name] > 1 for name in names)
        if double and target.written(file) == older[file]:
            target.inside(file).remove()
            times.subtract(names)
