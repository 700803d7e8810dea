"""The contracts are tests for others; here each promise is broken on purpose, once, and the check must name it."""

import sys
import types

import numpy as np
import pytest

from giqa import registry
from giqa.errors import BadShape, NotFitted
from giqa.features.statistics import Statistics
from giqa.images import open_source
from giqa.scorers.gmm import SGM
from giqa.scorers.knn import KNN
from giqa.stats import jackknife
from giqa.testing import BrokenPromise, check_extractor, check_reference_scorer, check_scorer, check_source


class Honest:
    """Minus the distance to the mean of the reals; keeps every promise of `check_reference_scorer`."""

    def __init__(self, power=1.0):
        self.power = power

    def fit(self, features, y=None, folds=None):
        folds = np.zeros(len(features), int) if folds is None else folds
        kept = [folds != f for f in range(folds.max() + 1) if folds.max()]
        self.means_ = np.stack(
            [features.mean(axis=0, dtype=float), *(features[k].mean(axis=0, dtype=float) for k in kept)]
        )
        self.held_out_ = np.full(len(features), np.nan)
        for f in range(len(kept)):
            self.held_out_[folds == f] = self.distances(features[folds == f], f + 1)
        return self

    def distances(self, features, part):
        return -(((features - self.means_[part]) ** 2).sum(axis=1) ** (self.power / 2))

    def check(self, features):
        if not hasattr(self, "means_"):
            raise NotFitted("Call fit first.")
        if features.ndim != 2 or features.shape[1] != self.means_.shape[1] or not np.isfinite(features).all():
            raise BadShape("Features do not fit.")

    def score_samples(self, features):
        self.check(features)
        return self.distances(features, 0)

    def score_folds(self, features):
        self.check(features)
        return np.stack([self.distances(features, part) for part in range(1, len(self.means_))], axis=1)

    def score_with_deviation(self, features):
        return self.score_samples(features), jackknife(Honest.score_folds(self, features))


class ForgetsToRaise(Honest):
    def check(self, features):
        self.means_ = getattr(self, "means_", np.zeros((1, features.shape[1])))
        super().check(features)


class RaisesSomethingElse(Honest):
    def check(self, features):
        if not hasattr(self, "means_"):
            raise RuntimeError("not fitted")
        super().check(features)


class HidesItsParameter(Honest):
    def __init__(self, power=1.0):
        super().__init__()
        self.exponent = power
        del self.power

    def distances(self, features, part):
        return -((features - self.means_[part]) ** 2).sum(axis=1)


class ReturnsNothing(Honest):
    def fit(self, features, y=None, folds=None):
        super().fit(features, y, folds)


class ShiftsItsInput(Honest):
    def fit(self, features, y=None, folds=None):
        features -= features.mean(axis=0)
        return super().fit(features, y, folds)


class ShiftsWhatItScores(Honest):
    def score_samples(self, features):
        self.check(features)
        if len(features):
            features *= 2
        return self.distances(features, 0)


class SettlesItsParameter(Honest):
    def fit(self, features, y=None, folds=None):
        self.power = 2.0
        return super().fit(features, y, folds)


class ScoresInColumns(Honest):
    def score_samples(self, features):
        return super().score_samples(features)[:, None]


class ScoresAList(Honest):
    def score_samples(self, features):
        return super().score_samples(features).tolist()


class ScoresInHalves(Honest):
    def score_samples(self, features):
        return super().score_samples(features).astype(np.float32)


class ScoresInfinity(Honest):
    def score_samples(self, features):
        return np.where(np.arange(len(features)) == 3, np.inf, super().score_samples(features))


class LooksAtTheCompany(Honest):
    """Centres what it scores by the batch's own mean."""

    def score_samples(self, features):
        scores = super().score_samples(features)
        return scores - scores.mean() if len(scores) else scores


class Rolls(Honest):
    """Draws without a seed."""

    def fit(self, features, y=None, folds=None):
        super().fit(features, y, folds)
        self.means_ = self.means_ + np.random.default_rng().normal(size=self.means_.shape)
        return self


class RefusesNone(Honest):
    def score_samples(self, features):
        if features.shape[:1] == (0,):
            raise ValueError("Found array with 0 sample(s)")
        return super().score_samples(features)


class TakesAnyWidth(Honest):
    def check(self, features):
        if not hasattr(self, "means_"):
            raise NotFitted("Call fit first.")

    def distances(self, features, part):
        features = np.atleast_2d(features)
        width = features.shape[1]
        return super().distances(features, part) if width == 6 else -features.sum(axis=1)


class RaisesNumpysOwnError(Honest):
    def check(self, features):
        if not hasattr(self, "means_"):
            raise NotFitted("Call fit first.")


class TurnedRound(Honest):
    """Farther is better."""

    def distances(self, features, part):
        return -super().distances(features, part)


class ForgetsTheHeldOut(Honest):
    def fit(self, features, y=None, folds=None):
        super().fit(features, y, folds)
        del self.held_out_
        return self


class HoldsOutNothing(Honest):
    """The held-out scores are those of the model that has seen everything."""

    def fit(self, features, y=None, folds=None):
        super().fit(features, y, folds)
        self.held_out_ = self.distances(features, 0)
        return self


class FoldsTheWrongWay(Honest):
    def score_folds(self, features):
        return super().score_folds(features).T


class DeviatesWithOtherScores(Honest):
    def score_with_deviation(self, features):
        scores, deviations = super().score_with_deviation(features)
        return scores + 1, deviations


class DeviatesBelowNothing(Honest):
    def score_with_deviation(self, features):
        scores, deviations = super().score_with_deviation(features)
        return scores, -deviations


class ScoresWithAFold(Honest):
    """Asked to hold out folds, the scores are those of the model without the last one."""

    def fit(self, features, y=None, folds=None):
        super().fit(features, y, folds)
        self.means_[0] = self.means_[-1]
        return self


class RemembersOutsideTheFile(Honest):
    """Half of what it learned has no underscore, and so is not in the file."""

    def fit(self, features, y=None, folds=None):
        super().fit(features, y, folds)
        self.centre = self.means_[0] + 1
        return self

    def distances(self, features, part):
        centre = getattr(self, "centre", np.zeros(features.shape[1])) if part == 0 else self.means_[part]
        return -((features - centre) ** 2).sum(axis=1)


class LearnsAnObject(Honest):
    def fit(self, features, y=None, folds=None):
        self.tree_ = {"left": None}
        return super().fit(features, y, folds)


BROKEN_SCORERS = {
    ForgetsToRaise: "score_samples before fit raises NotFitted",
    RaisesSomethingElse: "score_samples before fit raises NotFitted",
    HidesItsParameter: "parameters are stored under their own names",
    ReturnsNothing: "fit returns self",
    ShiftsItsInput: "fit leaves its input as it was",
    ShiftsWhatItScores: "score_samples leaves its input as it was",
    SettlesItsParameter: "fit changes no parameter",
    ScoresInColumns: "one score a picture, an array (n,)",
    ScoresAList: "one score a picture, an array (n,)",
    ScoresInHalves: "scores are float64",
    ScoresInfinity: "scores are finite",
    LooksAtTheCompany: "a picture scored alone gets the same bits as in a batch",
    Rolls: "the same seed gives the same scores",
    RefusesNone: "no pictures, no scores",
    TakesAnyWidth: "features of another width, shape or that are not finite raise a GiqaError",
    RaisesNumpysOwnError: "features of another width, shape or that are not finite raise a GiqaError",
}


class NamesNoExtractor(Honest):
    default_extractor = 3


class ChoosesAnArray(Honest):
    def chosen(self):
        return {"k": np.arange(2)}


BROKEN_REFERENCE_SCORERS = BROKEN_SCORERS | {
    TurnedRound: "nearer to the reals scores higher",
    ForgetsTheHeldOut: "held_out_ has one score for each real",
    HoldsOutNothing: "held_out_ is the score under the model that has not seen the fold",
    FoldsTheWrongWay: "score_folds gives one score for each picture and fold",
    DeviatesWithOtherScores: "score_with_deviation gives the scores of score_samples",
    DeviatesBelowNothing: "a deviation for each score, from 0",
    NamesNoExtractor: "default_extractor is a spec string",
    ChoosesAnArray: "chosen gives what JSON can say",
    ScoresWithAFold: "holding out folds does not change the scores",
    RemembersOutsideTheFile: "scores survive save and load",
    LearnsAnObject: "scores survive save and load; LearnsAnObject cannot be kept in a file: tree_ is not",
}


@pytest.fixture
def registered(monkeypatch):
    """Puts a class of this module on the table of names, as a third party's entry point would."""

    def register(scorer):
        module = types.ModuleType("third_party_scorers")
        setattr(module, scorer.__name__, scorer)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(scorer, "__module__", module.__name__)
        monkeypatch.setitem(registry.BUILTIN["scorer"], scorer.__name__.lower(), f"{module.__name__}:{scorer.__name__}")
        return scorer

    return register


@pytest.mark.parametrize("scorer", BROKEN_SCORERS, ids=lambda scorer: scorer.__name__)
def test_a_broken_promise_of_a_scorer_is_named(scorer):
    with pytest.raises(BrokenPromise) as caught:
        check_scorer(scorer)
    assert str(caught.value).startswith(BROKEN_SCORERS[scorer])


@pytest.mark.parametrize("scorer", BROKEN_REFERENCE_SCORERS, ids=lambda scorer: scorer.__name__)
def test_a_broken_promise_of_a_reference_scorer_is_named(registered, scorer):
    with pytest.raises(BrokenPromise) as caught:
        check_reference_scorer(registered(scorer))
    assert str(caught.value).startswith(BROKEN_REFERENCE_SCORERS[scorer])


def test_a_scorer_whose_order_matters_is_found():
    """Only in one order of a batch do scores differ: no single picture gives it away."""

    class FirstComeFirstServed(Honest):
        def score_samples(self, features):
            scores = super().score_samples(features)
            falling = len(scores) > 1 and scores[0] < scores[-1]  # the queries come nearest first
            return scores - falling

    with pytest.raises(BrokenPromise, match="the order does not matter"):
        check_scorer(FirstComeFirstServed)


def test_a_scorer_that_has_no_name_cannot_be_kept(registered):
    """An honest scorer outside the table keeps the promises of `check_scorer`; the file needs its name."""
    check_scorer(Honest)
    with pytest.raises(
        BrokenPromise, match="scores survive save and load; Honest cannot be kept in a file: it has no name"
    ):
        check_reference_scorer(Honest)
    check_reference_scorer(registered(Honest))


def test_the_first_promise_may_be_left_out(registered):
    """`monotone=False` lets a scorer pass whose density underflows far off; everything else still counts."""
    check_reference_scorer(registered(TurnedRound), monotone=False)


def test_a_broken_promise_is_an_assertion():
    """So that a third party's test run shows it as a failure and not as an error."""
    assert issubclass(BrokenPromise, AssertionError)


# Extractors


class Altered(Statistics):
    """Statistics with one promise broken in `run`, which sees all pictures of a call."""

    def run(self, prepared):
        return self.alter(super().run(prepared))


class NamesTheLayersOtherwise(Altered):
    def alter(self, layers):
        return dict(reversed(layers.items()))


class ComputesInDoubles(Altered):
    def alter(self, layers):
        return {name: layer.astype(np.float64) for name, layer in layers.items()}


class KeepsThePlaces(Altered):
    def alter(self, layers):
        return {name: layer.reshape(len(layer), 3, 6) for name, layer in layers.items()}


class DropsTheTail(Altered):
    def alter(self, layers):
        return {name: layer[:-1] for name, layer in layers.items()}


class DividesByZero(Altered):
    def alter(self, layers):
        return {name: np.where(layer == layer.max(), np.float32(np.inf), layer) for name, layer in layers.items()}


class NormalisesTheBatch(Altered):
    def alter(self, layers):
        return {name: layer - layer.max(axis=0) for name, layer in layers.items()}


class CountsPlaces(Altered):
    def alter(self, layers):
        return {name: layer + np.arange(len(layer), dtype=np.float32)[:, None] for name, layer in layers.items()}


class PaintsOver(Statistics):
    def prepare(self, pixels):
        made = super().prepare(pixels)
        pixels[0, 0] = 7
        return made


class IdentifiesByAnObject(Statistics):
    def identity(self):
        return {**super().identity(), "network": object()}


class IdentifiesByATuple(Statistics):
    def identity(self):
        return {**super().identity(), "layers": ("a", "b")}


class IdentifiesByTheHour(Statistics):
    hours = 0

    def identity(self):
        type(self).hours += 1
        return {**super().identity(), "hour": self.hours}


class DeclaresALayerThatIsNotThere(Statistics):
    @property
    def levels(self):
        return {"low": (*self.outputs, "scale_64")}


class DeclaresALayerTwice(Statistics):
    @property
    def levels(self):
        return {"low": self.outputs, "high": self.outputs[:1]}


class InventsALevel(Statistics):
    @property
    def levels(self):
        return {"deep": self.outputs}


BROKEN_EXTRACTORS = {
    DeclaresALayerThatIsNotThere: "levels name outputs, each once",
    DeclaresALayerTwice: "levels name outputs, each once",
    InventsALevel: "levels are among low, mid, high, taught",
    NamesTheLayersOtherwise: "the layers are those that `outputs` names, in that order",
    ComputesInDoubles: "texture.1 is float32 (n, c)",
    KeepsThePlaces: "texture.1 is float32 (n, c)",
    DropsTheTail: "texture.1 is float32 (n, c)",
    DividesByZero: "texture.1 is finite",
    PaintsOver: "pictures are left as they were",
    NormalisesTheBatch: "alone as in a batch, bit for bit",
    CountsPlaces: "texture.1: the order does not matter",
    IdentifiesByAnObject: "identity is JSON, and stable",
    IdentifiesByATuple: "identity is JSON, and stable",
    IdentifiesByTheHour: "identity is JSON, and stable",
}


@pytest.mark.parametrize("extractor", BROKEN_EXTRACTORS, ids=lambda extractor: extractor.__name__)
def test_a_broken_promise_of_an_extractor_is_named(extractor):
    with pytest.raises(BrokenPromise) as caught:
        check_extractor(extractor)
    assert str(caught.value) == BROKEN_EXTRACTORS[extractor]


# Sources


class Pictures:
    """A source of two pictures that keeps every promise."""

    name = "pictures"
    ids = ("a/1.png", "a/2.png")

    def __len__(self):
        return 2

    def raw(self, index):
        return np.full((4, 4, 3), index, np.uint8)

    def path(self, index):
        return None


class CountsOneMore(Pictures):
    def __len__(self):
        return 3


class HoldsNothing(Pictures):
    ids = ()

    def __len__(self):
        return 0


class NamesTwiceTheSame(Pictures):
    ids = ("a/1.png", "a/1.png")


class NamesByNumber(Pictures):
    ids = (1, 2)


class NamesAsWindowsDoes(Pictures):
    ids = ("a\\1.png", "a\\2.png")


class GivesAnotherPicture(Pictures):
    asked = 0

    def raw(self, index):
        self.asked += 1
        return np.full((4, 4, 3), self.asked, np.uint8)


class GivesOtherBytes(GivesAnotherPicture):
    def raw(self, index):
        return super().raw(index).tobytes()


BROKEN_SOURCES = {
    CountsOneMore: "as many ids as pictures, at least one",
    HoldsNothing: "as many ids as pictures, at least one",
    NamesTwiceTheSame: "ids are unique",
    NamesByNumber: "ids are strings with / as separator",
    NamesAsWindowsDoes: "ids are strings with / as separator",
    GivesAnotherPicture: "the same picture each time",
    GivesOtherBytes: "the same picture each time",
}


@pytest.mark.parametrize("source", BROKEN_SOURCES, ids=lambda source: source.__name__)
def test_a_broken_promise_of_a_source_is_named(source):
    with pytest.raises(BrokenPromise) as caught:
        check_source(source())
    assert str(caught.value) == BROKEN_SOURCES[source]


# The real ones


@pytest.mark.parametrize("make", [KNN, SGM, Honest], ids=lambda make: make.__name__)
def test_the_real_scorers_pass(registered, make):
    """The other presets and parameters stand in `tests/scorers`."""
    check_reference_scorer(make if make is not Honest else registered(Honest))


def test_a_scorer_is_checked_on_features_of_its_own():
    """Whoever needs other features than six standard normal ones passes them; no query is a copy of a row."""
    for preset in registry.PRESETS:
        check_scorer(lambda preset=preset: KNN(preset=preset), np.random.default_rng(5).uniform(size=(60, 3)))


@pytest.mark.parametrize("scales", [1, 2, 5])
def test_the_real_extractor_passes(scales):
    check_extractor(lambda: Statistics(scales=scales))


def test_the_real_sources_pass(tmp_path):
    """Arrays, and files on disk, whose bytes nobody decodes here."""
    check_source(Pictures())
    check_source(open_source(np.zeros((3, 8, 8, 3), np.uint8)))
    for name in ("a.png", "b/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    check_source(open_source(tmp_path))
    check_source(open_source(str(tmp_path / "**" / "*.png")))
