"""What is told of Ray's errors; no Ray is started."""

import socket

import pytest

pytest.importorskip("ray")
from unveil.cluster.pool import _check_reached, reason
from unveil.errors import ClusterError

# As Ray Data tells of an error in a worker: a traceback, its own errors, and advice.
TOLD = """ray::MapWorker(MapBatches(Worker)).submit() (pid=1, ip=127.0.0.1)
  File "unveil/cluster/manifest.py", line 1, in write_part
unveil.errors.ImageError: out.parquet/1.parquet: cannot be written: No space left on device

During handling of the above exception, another exception occurred:

  File "unveil/cluster/worker.py", line 1, in close
    self.worker.target.write_table(name, table)
unveil.errors.ClusterError: out.parquet/2.parquet: cannot be written: No space left on device

The above exception was the direct cause of the following exception:

ray.exceptions.UserCodeException: UDF failed to process a data block.
Failed to apply UDF transform after 1/1 attempts (total backoff 0.0s).
To change retry attempts, configure `ray.data.DataContext.get_current()`.
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TOLD, "out.parquet/2.parquet: cannot be written: No space left on device"),
        ("Traceback:\n  unveil.py\nThe actor died: no memory\n", "The actor died: no memory"),
        ("", "RuntimeError"),
    ],
)
def test_the_cause_and_not_the_advice_after_it(text, told):
    assert reason(RuntimeError(text)) == told


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_a_cluster_at_an_address_in_brackets_is_reached():
    try:
        door = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with door:
        port = door.getsockname()[1]
        _check_reached(f"[::1]:{port}")
    with pytest.raises(ClusterError, match="no Ray cluster"):
        _check_reached(f"[::1]:{port}")
