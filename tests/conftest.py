"""Settings of all tests."""

from hypothesis import settings

# The same examples each time, and no time limit for one: a busy machine is not a failure.
settings.register_profile("unveil", derandomize=True, deadline=None)
settings.load_profile("unveil")
