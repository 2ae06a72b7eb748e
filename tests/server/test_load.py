from benchmark_script import load_script

from unveil.evaluation.parts import networks


def test_a_load_run_notes_the_weights_that_the_server_gives_out(client, model):
    of = load_script("load").weights(client)
    assert of == {"model": "stand-in", "sha256": networks(model)}


def test_every_damaged_case_is_sent():
    script = load_script("load")
    cases = {script.case(place) for place in range(2000)}
    fields = ("photo", "mask")
    assert cases == {(k, h, f) for k in script.FACES for h in script.WAYS for f in fields}
