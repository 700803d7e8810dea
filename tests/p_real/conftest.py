import pytest


@pytest.fixture(autouse=True, scope="module")
def few_resamples():
    """Intervals of held-out figures from 40 resamples instead of 500, which take longer than a training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("giqa.p_real.held_out.RESAMPLES", 40)
        patch.setattr("giqa.p_real.splits.RESAMPLES", 40)
        patch.setattr("giqa.scorers.judgement_search.PENALTIES", (100.0, 1.0))
        yield
