"""How many cases a generated test tries: a fixed few in ./test, so that it is quick and says the same twice; many in --all."""

import os

from hypothesis import HealthCheck, settings

# ./test --all sets it: the whole number of cases, new ones each time.
IS_THOROUGH = bool(os.environ.get("THOROUGH"))
_FEWER = 4


def cases(most: int) -> settings:
    """Return the settings of a test that tries `most` cases where there is time, and a quarter of them in ./test.

    Fixtures are shared by the cases of a test: each case has to bring back what it changes, or begin its own savepoint.
    """
    return settings(
        max_examples=most if IS_THOROUGH else max(5, most // _FEWER),
        derandomize=not IS_THOROUGH,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def use() -> None:
    """Let the tests that name no number try a hundred, or a quarter of them."""
    settings.register_profile("carnet", cases(100))
    settings.load_profile("carnet")
