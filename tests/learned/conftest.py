"""Stand-ins of the networks of LPIPS."""

import pytest

from ffltool.looking import Looking, Sources


@pytest.fixture
def alex(stand_ins):
    return Looking(sources=Sources(own={"alexnet": stand_ins["alexnet"], "squeezenet": stand_ins["squeezenet"]}))
