"""The shells complete commands and options, as docs/commands.md says."""

import pytest
from click.testing import CliRunner

from giqa.cli import main


def completed(words):
    """What bash is offered for the last of these words."""
    env = {"_GIQA_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    result = CliRunner().invoke(main, [], env=env, prog_name="giqa")
    assert result.exit_code == 0, result.output
    return [line.partition(",")[2] for line in result.output.splitlines()]


def test_commands_and_options_are_completed():
    assert completed(["giqa", "sc"]) == ["score"]
    assert completed(["giqa", "label", "st"]) == ["stats"]
    assert completed(["giqa", "compare", "--paper"]) == ["--paper-minmax"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])  # that of bash runs bash to ask for its version
def test_the_script_of_a_shell_is_printed(shell):
    result = CliRunner().invoke(main, [], env={"_GIQA_COMPLETE": f"{shell}_source"}, prog_name="giqa")
    assert result.exit_code == 0 and f"_GIQA_COMPLETE={shell}_complete" in result.output
