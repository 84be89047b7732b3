"""The program that mypy checks also runs."""

import user_program


def test_it_runs():
    assert user_program.main() == "[12, 13], 2 calls of call, during, OUT_OF_BOUNDS_MEMORY, 1 frame"
