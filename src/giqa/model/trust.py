"""Whether p_real may be believed: did the human model learn anything, and is it asked about pictures like its own?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .made_by import AskedAbout, MadeBy

FAR = 0.15  # distance from which pictures are another kind: docs/human.md says what it was chosen on
MOST_UNLIKE = 0.2  # share of pictures that are unlike those with votes, likewise; .02 is expected of their own kind
FEWEST_ASKED = 5  # pictures; of fewer the distance is mostly chance
UNLIKE = "unlike the pictures with votes"  # what stands in the notes of a picture
LEARNED_FROM = "p_real was learned from votes on it"
SAYS = {  # kind of judgement -> its column of scores, what a constant answer is, one judgement
    "votes": ("p_real", "the share of votes for real", "vote"),
    "pairs": ("p_preferred", "a half", "vote"),
    "ratings": ("rating", "the mean rating", "rating"),
}


def human_part(made_by: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a table's or a model's `made_by` says of a human model; None where none was asked."""
    if "human" in made_by:
        return made_by["human"]
    return made_by if (MadeBy.from_dict(made_by).scorer or "").startswith("human(") else None


def asked_about(part: Mapping[str, Any] | None) -> AskedAbout:
    """What `human_part` says of the pictures that a human model was asked about; where it says nothing, nothing."""
    return MadeBy.from_dict(part or {}).asked or AskedAbout()


def learned(part: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether a human model has learned something that shows on held-out pictures, and the sentence that says it.

    It has when the 95 % interval of the held-out gain (log-likelihood a vote above a constant answer's) lies above 0.

    >>> learned({"held_out": {"log-likelihood, gain": {"value": 0.048, "low": 0.019, "high": 0.077}}})[0]
    True
    >>> learned({"held_out": {"log-likelihood, gain": {"value": 0.004, "low": -0.02, "high": 0.03}}})[0]
    False
    """
    made = MadeBy.from_dict(part)
    if made.splits is None:
        return _verdict(made.gain, "votes", made.share_real)
    verdicts = [_verdict(made.gain_of(kind), kind) for kind in made.splits]
    return all(has for has, _ in verdicts), " ".join(said for _, said in verdicts)


def _verdict(gain: Mapping[str, Any] | None, kind: str, share_real: float | None = None) -> tuple[bool, str]:
    """Whether something was learned from one kind of judgement, and the sentence that says it."""
    column, constant, judgement = SAYS[kind]
    if not gain or gain["low"] is None:
        return False, (
            f"The human model is untested: too few pictures have {kind} to hold some out, so nothing shows that "
            f"{column} says more than {constant}."
        )
    value, low, high = (f"{round(gain[end], 3) + 0.0:+.3f}" for end in ("value", "low", "high"))  # and never -0.000
    said = f"{value} [{low}, {high}] nats a {judgement} over a constant answer"
    if gain["low"] > 0:
        return True, f"The human model learned something: on held-out pictures it gains {said}."
    why = ": it is worse than one" if high.startswith("-") else ", and this interval holds 0"
    share = "" if share_real is None else f", {100 * share_real:.0f} %"
    return False, (
        f"THE HUMAN MODEL LEARNED NOTHING that shows: on held-out pictures it gains {said}{why}. Its {column} says no "
        f"more than {constant}{share}; more {kind} may help."
    )


def doubts(part: Mapping[str, Any] | None) -> list[str]:
    """Why p_real should not be believed, a sentence each; where there is one, p_real is in no headline."""
    if part is None:
        return []
    has_learned, said = learned(part)
    sentences = [] if has_learned else [said]
    asked = asked_about(part)
    far, unlike = asked.distance, asked.unlike or 0
    if (far is not None and far > FAR) or unlike > MOST_UNLIKE * max(asked.pictures, FEWEST_ASKED):
        how = "" if far is None else f"their distance is {far:.2f}, of one kind it is below {FAR:g}; "
        sentences.append(
            f"THESE PICTURES ARE UNLIKE THOSE WITH VOTES ({how}{unlike} of {asked.pictures} are flagged in their "
            "notes): people were asked about another kind of picture, so p_real is a guess here."
        )
    return sentences


def unchecked(part: Mapping[str, Any] | None) -> str:
    """What cannot be checked of a human model, or of a table, that an earlier giqa made; else nothing."""
    if part is None or asked_about(part).learned_from is not None:
        return ""
    return (
        "the human model was trained by an earlier giqa and does not say which pictures it learned from: whether these "
        "are among them, or are like them, cannot be checked; train it again"
    )
