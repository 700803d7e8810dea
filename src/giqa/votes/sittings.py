"""What each evaluator got wrong, of fakes and of reals: error rates, d' and criterion."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from ..errors import BadShape
from .labels import Sittings, Votes


def sittings(votes: Votes) -> Sittings:
    """Votes summed by evaluator and generator.

    Parameters
    ----------
    votes : Votes
        Single votes; quality control and pictures of unknown kind are left out.

    Returns
    -------
    Sittings
        The reals that an evaluator judged in a context count with every generator that he or she judged in that
        context.

    Raises
    ------
    BadShape
        When no generated picture was judged.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> columns = {"image": [*"abc"], "rater": [*"rrr"], "said_real": [1, 0, 0], "generator": ["gan", "gan", ""]}
    >>> sat = sittings(as_labels(Table("votes", columns)))
    >>> sat.fakes.tolist(), sat.wrong_fakes.tolist(), sat.wrong_reals.tolist()
    ([2.0], [1.0], [1.0])
    """
    votes = votes.rows(~votes.control & (votes.kind != ""))
    wrong = votes.said_real != (votes.kind == "real")
    rows: dict[tuple[str, str], np.ndarray] = {}
    session = np.unique(np.rec.fromarrays([votes.rater, votes.context]), return_inverse=True)[1]
    order = np.argsort(session, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(session[order])) + 1) if len(order) else []:
        real = part[votes.kind[part] == "real"]
        for generator in np.unique(votes.generator[part][votes.kind[part] != "real"]) if len(real) < len(part) else []:
            fake = part[(votes.kind[part] != "real") & (votes.generator[part] == generator)]
            sums = [len(fake), wrong[fake].sum(), len(real), wrong[real].sum()]
            times = [np.nansum(votes.response_ms[of]) / 1000 for of in (fake, real)]
            timed = [np.sum(~np.isnan(votes.response_ms[of])) for of in (fake, real)]
            key = (str(votes.rater[part[0]]), str(generator))
            rows[key] = rows.get(key, np.zeros(8)) + np.array([*sums, *times, *timed], float)
    if not rows:
        raise BadShape("No error rate: no evaluator judged generated pictures that are known as such (column 'kind').")
    sums = np.array(list(rows.values()))
    with np.errstate(invalid="ignore", divide="ignore"):
        seconds = np.where(sums[:, 6:8] > 0, sums[:, 4:6] / sums[:, 6:8], np.nan)
    names = np.array(list(rows), np.str_)
    return Sittings(names[:, 0], names[:, 1], *sums[:, :4].T, *seconds.T)


def error_rates(sat: Sittings) -> np.ndarray:
    """Error rate of each evaluator, float64 (n,): the mean of the rates on fakes and on reals, so that 0.5 is chance.

    Half fakes and half reals make that the share of all answers that are wrong. NaN for who saw only one kind.
    """
    return (rate(sat.wrong_fakes, sat.fakes) + rate(sat.wrong_reals, sat.reals)) / 2


def detection(sat: Sittings) -> tuple[np.ndarray, np.ndarray]:
    """d' and criterion of each evaluator: z(H) - z(F) and -(z(H) + z(F)) / 2, H and F real and fake called real.

    Parameters
    ----------
    sat : Sittings
        H is the share of reals called real and F that of fakes called real, each with half an answer added to either
        side.

    Returns
    -------
    tuple of float array (n,)
        d' is 0 where the two cannot be distinguished. The criterion is above 0 with an inclination to say fake, below 0
        to say real. NaN for who saw only one kind.

    References
    ----------
    Hautus 1995.
    """
    hit = np.where(sat.reals > 0, (sat.reals - sat.wrong_reals + 0.5) / (sat.reals + 1), np.nan)
    alarm = np.where(sat.fakes > 0, (sat.wrong_fakes + 0.5) / (sat.fakes + 1), np.nan)
    z_hit, z_alarm = ([NormalDist().inv_cdf(p) if p == p else p for p in share.tolist()] for share in (hit, alarm))
    z_hit, z_alarm = np.array(z_hit, float), np.array(z_alarm, float)
    return z_hit - z_alarm, -(z_hit + z_alarm) / 2


def answers_behind(sat: Sittings) -> np.ndarray:
    """How many answers the error rate of each evaluator is as sure as a share of, (n,): 4 / (1 / fakes + 1 / reals).

    It is the mean of two shares; with as many fakes as reals it is a share of all answers.
    """
    with np.errstate(divide="ignore"):
        return 4 / (1 / sat.fakes + 1 / sat.reals)


def detection_noise(sat: Sittings) -> float:
    """The variance of d' between evaluators who are all alike, by the delta method, of the answers of all together.

    var z(H) = H (1 - H) / (n density(z(H))^2); d' has the sum of that of H and F, and the criterion a quarter of it.
    """
    known = (sat.fakes > 0) & (sat.reals > 0)
    if not known.any():
        return 0.0
    total = 0.0
    for said, n in ((sat.wrong_fakes, sat.fakes), (sat.wrong_reals, sat.reals)):
        share = (said[known].sum() + 0.5) / (n[known].sum() + 1)
        density = NormalDist().pdf(NormalDist().inv_cdf(share))
        total += share * (1 - share) / density**2 * float(np.mean(1 / n[known]))
    return total


def by_evaluator(sat: Sittings) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Evaluators, the mean of each one's error rates over generators, and the answers that is as sure as a share of.

    One who judged three generators is one evaluator and not three.
    """
    raters, place = np.unique(sat.rater, return_inverse=True)
    rates, answers = error_rates(sat), answers_behind(sat)
    known = ~np.isnan(rates)
    place, n = place[known], np.bincount(place[known], minlength=len(raters)).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(place, rates[known], len(raters)) / n
        behind = n**2 / np.bincount(place, 1 / answers[known], len(raters))
    return raters.tolist(), mean, behind


def rate(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
