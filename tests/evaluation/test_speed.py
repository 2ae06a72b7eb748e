import pytest

from unveil.evaluation.report import main_tables
from unveil.evaluation.speed import lead

RESULTS = {
    "protocol": "speed",
    "data": {"name": "drawn", "faces": 1},
    "machine": {"cores": 2, "processor": "x"},
    "large": {
        "megapixels": 12.0, "faces": 2,
        "cold_seconds": 3.004, "warm_seconds": 1.496, "warm_processor_seconds": 2.2,
    },
    "folder": {
        "photos": 500, "megapixels": 1.05, "seconds": 60.0,
        "photos_per_second": 7.96, "processor_seconds_per_photo": 0.2468,
        "megabytes": {"100": 400.0, "200": 441.0, "500": 405.2}, "most_megabytes": 699.6,
    },
    "occluders": {"side": 256, "faces": 2700, "faces_per_second": 199.6, "milliseconds": {}},
}  # fmt: skip


def test_each_number_is_held_against_what_is_wanted():
    (table,) = main_tables(RESULTS)
    measured = [(row[1], row[2], row[3]) for row in table.rows]
    assert measured == [
        ("3.00", "3", "no"),  # not by rounding
        ("1.50", "1.5", "yes"),
        ("2.20", "", ""),
        ("8.0", "8", "no"),
        ("247", "", ""),
        ("700", "700", "yes"),
        ("400, 441", "flat", "no"),  # a tenth more
        ("200", "200", "no"),  # not by rounding
    ]
    assert table.rows[3][0] == "a folder of 500 photos of 1.1 megapixels, photos/s"


def test_parts_of_other_photos_are_named():
    folder = RESULTS["folder"] | {"photos_of": "holiday"}
    assert lead(RESULTS).startswith("Photos: drawn. ")
    assert lead(RESULTS | {"folder": folder}).startswith("Photos: drawn, holiday. ")


@pytest.mark.parametrize(("missing", "rows"), [("large", 5), ("folder", 4), ("occluders", 7)])
def test_a_part_may_be_missing(missing, rows):
    (table,) = main_tables({key: of for key, of in RESULTS.items() if key != missing})
    assert len(table.rows) == rows
