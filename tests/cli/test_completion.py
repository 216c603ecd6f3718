"""The shell completes what the command line knows."""

import shutil
import subprocess

import pytest

from phonoscope.cli.main import main

ASK = """
source "$1"
COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE=$2; COMP_POINT=${#COMP_LINE}
$(complete -p phonoscope | sed 's/.*-F \\([^ ]*\\).*/\\1/')
echo "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    import contextlib
    import io

    said = io.StringIO()
    with contextlib.redirect_stdout(said), pytest.raises(SystemExit) as stop:
        main(["completion", "bash"])
    assert not stop.value.code
    path = tmp_path_factory.mktemp("completion") / "phonoscope.bash"
    path.write_text(said.getvalue())
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("phonoscope pre", {"prepare"}),
        ("phonoscope prepare --tracks.min", {"--tracks.min-iou", "--tracks.min-len", "--tracks.min-size"}),
        ("phonoscope status --js", {"--json"}),
    ],
)
def test_bash_completes_verbs_options_and_settings(script, typed, offered):
    said = subprocess.run(["bash", "-c", ASK, "ask", script, typed], capture_output=True, text=True, check=True)
    assert set(said.stdout.split()) == offered
