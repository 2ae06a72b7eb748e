"""Sessions share the machine: threads that wait sleep, and memory is kept from run to run."""

from unveil.runtime.onnx import open_session
from unveil.runtime.weights import find_weights


def test_what_a_session_takes_of_the_machine(model):
    session = open_session(find_weights(model).file("face"), 3)
    options = session.get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.enable_cpu_mem_arena
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 1)
