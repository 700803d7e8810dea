"""What the pages of a study with questions of its own say, in English, and in the words that its file has for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

PHRASES = (
    # the consent page, unless the file has a consent of its own
    "You will see about {number} pairs of pictures. Questions on each: {questions}.",
    "You will see about {number} pictures. Questions on each: {questions}.",
    "A few examples come first. You can rest at any time, and take back your last answer.",
    "It takes about {least} to {most} minutes.",
    "What is kept",
    "Your answers, how long they took, your language, and a random number instead of your name. No name, no address, "
    "no data of your device. A cookie lets you go on where you stopped, for 30 days.",
    "Taking part is voluntary; you may stop at any time by closing this page.",
    "Questions: {contact}.",
    "I agree, start",
    # the questions
    "This page needs JavaScript.",
    "Loading ...",
    "Question {n} of {total}",
    "The picture to judge",
    "The left picture",
    "The right picture",
    "Left",
    "Right",
    "bad",
    "poor",
    "fair",
    "good",
    "excellent",
    "Help",
    "Take back the last answer",
    "Your last answer, once more: choose anew.",
    "Choose your last answer anew.",
    "Example",
    "Picture {n} of {total}",
    "{done} of {total}",
    # after an example, breaks and the end
    "That is right.",
    "Not quite.",
    "Expected: {answer}",
    "Next",
    "Time for a break",
    "Rest your eyes as long as you like. Your answers so far are safe.",
    "Go on",
    "Thank you",
    "All your answers are in. You can close this page.",
    "This study has all the answers it needs. You need not do anything.",
    # where something is in the way
    "A pause",
    "This study is paused. Please come back later.",
    "This study is paused. Your answers are safe; this page goes on by itself.",
    "One moment",
    "Your answers are kept in this browser. The next picture comes when the connection is back.",
    "There is no connection.",
    "Answers that are kept in this browser and will be sent: {n}.",
    "Trying again ...",
    "This session is over; open the link of the study again.",
)
RIGHT_TO_LEFT = ("ar", "fa", "he", "ur", "yi")


def translator(words: Mapping[str, str]) -> Callable[..., str]:
    """A function from a phrase to what is read: in the words for it, else in English; values fill what is in braces.

    Parameters
    ----------
    words : mapping of str to str
        Phrase -> its translation.

    Returns
    -------
    callable

    Examples
    --------
    >>> tr = translator({"{done} of {total}": "{done} von {total}"})
    >>> tr("{done} of {total}", done=1, total=8), tr("Left")
    ('1 von 8', 'Left')
    """

    def tr(phrase: str, **values: object) -> str:
        text = words.get(phrase, phrase)
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    return tr
