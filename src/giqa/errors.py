"""Every error giqa raises on purpose.

    GiqaError
    ├── BadSpec          (ValueError)         a spec string or a parameter that means nothing
    ├── BadShape         (ValueError)         arrays that do not fit: too few rows, wrong width, not finite
    ├── BadSource        (ValueError)         a folder, table, archive or array that cannot be used
    ├── BadTable         (ValueError)         a file of scores or labels that is not what it should be
    ├── MissingSource    (FileNotFoundError)  a path that is not there
    ├── BadImage         (ValueError)         one picture that cannot be decoded
    ├── BadModel         (ValueError)         a .giqa file that cannot be read
    ├── BadWeights       (ValueError)         a weights file with the wrong content
    ├── MissingWeights   (FileNotFoundError)  a weights file that is not here yet
    ├── MissingExtra     (ImportError)        an optional dependency that is not installed
    ├── WorkerDied       (RuntimeError)       processes or machines that did a part of the work died
    └── NotFitted        (ValueError, AttributeError)  score before fit

Each says what was wrong, what was given, and what to do.
"""

import re


class GiqaError(Exception):
    """The root: `except GiqaError` catches everything that giqa raises on purpose.

    Examples
    --------
    >>> issubclass(BadSpec, GiqaError), issubclass(BadSpec, ValueError)
    (True, True)
    """

    def __str__(self) -> str:  # FileNotFoundError and ImportError would decorate the sentence
        return str(self.args[0]) if self.args else ""


class BadSpec(GiqaError, ValueError):
    """A spec string or a parameter that means nothing."""


class BadShape(GiqaError, ValueError):
    """Arrays that do not fit: too few rows, another width, values that are not finite."""


class BadSource(GiqaError, ValueError):
    """A folder, table, archive or array that cannot be used as a source of pictures."""


class BadTable(GiqaError, ValueError):
    """A file of scores or labels that is not what it should be."""


class MissingSource(GiqaError, FileNotFoundError):
    """A path that is not there."""


class BadImage(GiqaError, ValueError):
    """One picture that cannot be decoded."""


class BadModel(GiqaError, ValueError):
    """A .giqa file that cannot be read."""


class BadWeights(GiqaError, ValueError):
    """A weights file whose content is not what was asked for."""


class MissingWeights(GiqaError, FileNotFoundError):
    """A weights file that is not on this machine yet."""


class MissingExtra(GiqaError, ImportError):
    """An optional dependency that is not installed; where it is an extra of giqa, also what to type in a clone."""

    def __str__(self) -> str:
        text = super().__str__()
        extra = re.search(r"'giqa\[(\w+)\]'", text)
        return text + (f" (in a clone: pip install -c constraints.txt '.[{extra[1]}]')" if extra else "")


class NotFitted(GiqaError, ValueError, AttributeError):
    """Asked for scores before `fit`."""


class WorkerDied(GiqaError, RuntimeError):
    """Processes or machines that did a part of the work died, and trying again does not help."""
