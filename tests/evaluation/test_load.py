"""The table of a load run."""

from unveil.evaluation.report import markdown

RESULTS = {
    "protocol": "load",
    "data": {"name": "a.png", "cores": 2},
    "requests": 2000,
    "clients": 16,
    "statuses": {"200": 1990, "500": 1, "503": 9},
    "seconds": {"p50": 1.234, "p90": 2.0, "p99": 3.0, "max": 4.0},
    "restorations_per_second": 3.14159,
    "megabytes": {
        "after the first hundred": 300.2,
        "at the end": 301.9,
        "after the damaged images": 303.0,
        "after the same again": 303.4,
    },
    "damaged": {"200": 1500, "400": 500},
    "hung_up": 32,
}


def test_every_request_is_counted_once():
    header, _, row = markdown(RESULTS).split("\n\n")[1].splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    names = [name.strip() for name in header.strip("|").split("|")]
    said = dict(zip(names, cells, strict=True))
    assert (said["answered"], said["refused (503)"], said["failed"]) == ("1,990", "9", "1")
    assert (said["p50, s"], said["a second"]) == ("1.23", "3.1")
    assert (said["MB after 100"], said["MB at the end"]) == ("300", "302")
    assert "2,000 damaged images three times, answered 1,500 with 200, 500 with 400" in markdown(
        RESULTS
    )
    assert "2,000 requests with `a.png` from 16 clients, 2 cores" in markdown(RESULTS)
