from unveil.evaluation.report import main_tables

RESULTS = {
    "protocol": "scale",
    "data": {"name": "drawn", "faces": 1},
    "ledger_rows_per_second": 3000,
    "machine": {"cores": 2, "processor": "x"},
    "stages": {"1": {"detect": 150.0, "encode": 50.0}, "12": {"detect": 300.0, "encode": 500.0}},
    "throughput": {
        "one process on one core": {
            "photos": 100, "seconds": 51.0, "start_seconds": 1.0, "photos_per_second": 2.0
        },
        "--jobs 2": {
            "photos": 100, "seconds": 31.0, "start_seconds": 1.0, "photos_per_second": 3.3
        },
        "--engine ray, 1 worker": {
            "photos": 100, "seconds": 60.0, "start_seconds": 10.0, "photos_per_second": 2.0
        },
        "--engine ray, 2 workers": {
            "photos": 100, "seconds": 36.0, "start_seconds": 11.0, "photos_per_second": 4.0
        },
    },
}  # fmt: skip


def test_parts_that_are_not_measured_yet_are_left_out():
    def titles(*parts, ways=tuple(RESULTS["throughput"])):
        some = {name: RESULTS[name] for name in ("protocol", "data", "machine", *parts)}
        if "throughput" in some:
            some["throughput"] = {way: RESULTS["throughput"][way] for way in ways}
        return [table.title for table in main_tables(some)]

    stages, ways, amdahl, machines = titles("stages", "throughput", "ledger_rows_per_second")
    assert titles() == titles("ledger_rows_per_second") == []
    assert titles("stages") == [stages]
    assert titles("throughput") == [ways, amdahl]
    assert titles("throughput", ways=("one process on one core",)) == [ways]
    ray = ("--engine ray, 2 workers",)
    assert titles("stages", "throughput", "ledger_rows_per_second", ways=ray) == [stages, machines]


def test_what_follows_from_the_measurements():
    stages, ways, amdahl, machines = main_tables(RESULTS)
    assert stages.rows[0] == ("detect", "150", "75%", "300", "38%")
    assert stages.rows[-1] == ("all", "200", "", "800", "")
    # 11 s of start and 1,000 photos at 4 a second, twice one core's 2.
    assert ways.rows[-1] == ("`--engine ray, 2 workers`", "11.0", "4.00", "2.00", "261")
    # Amdahl: 60 s with one, of which 10 are the start: 10 + 50 / 2 = 35 s with two.
    assert amdahl.rows[0] == ("100 photos", "17%", "1.71", "1.67")
    assert amdahl.rows[1] == ("without end", "0%", "2.00", "2.00")
    # 10^7 photos at 2 a second and core: 1,389 hours of a core, 22 of 64; at 12 MP four times.
    assert machines.rows[0] == ("ten million", "1 MP", "2.00", "1,389", "22", "1")
    assert machines.rows[1] == ("ten million", "12 MP", "0.50", "5,556", "87", "4")
    assert "about 1,500 cores" in machines.note
