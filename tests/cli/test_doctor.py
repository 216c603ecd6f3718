"""`phonoscope doctor`, what it says of parts that nobody must have."""

import re

from phonoscope.cli import doctor
from phonoscope.cli.main import main
from phonoscope.core.errors import UsageError


def test_whether_there_is_something_to_speak_with_is_told_in_a_line(capsys, monkeypatch):
    def missing():
        raise UsageError("espeak-ng is not installed; it is free software")

    main(["doctor", "--offline"])
    assert re.search(r"\n  espeak-ng +(\d+ languages|espeak-ng is not installed)", capsys.readouterr().out)
    monkeypatch.setattr(doctor, "voices", missing)
    main(["doctor", "--offline"])
    assert re.search(r"\n  espeak-ng +espeak-ng is not installed; it is free", capsys.readouterr().out)
