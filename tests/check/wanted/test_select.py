import pytest

from didact._core.errors import UsageError
from didact.check.wanted.select import Selection, parse_codes

KNOWN = ["KD101", "KD102", "KD203"]


def test_the_longest_prefix_decides_and_ignore_wins_a_tie():
    selection = Selection(("KD1", "KD203"), ("KD101", "KD203"))
    assert selection.wants("KD102")
    assert not selection.wants("KD101")
    assert not selection.wants("KD203")
    assert not selection.wants("KD301")


def test_a_code_selected_on_the_command_line_beats_the_file():
    assert Selection(("KD101",), fallback_ignore=("KD101",)).wants("KD101")
    assert not Selection(("KD1",), fallback_ignore=("KD101",)).wants("KD101")


def test_naming_is_more_than_wanting():
    assert Selection(("KD", "KD002")).names("KD002")
    assert not Selection(("KD",)).names("KD002")


def test_codes_come_in_lists_and_in_any_case():
    assert parse_codes(["kd101, KD2", "KD102"], known=KNOWN, where="") == ("KD101", "KD2", "KD102")


def test_an_unknown_code_is_refused_with_a_suggestion():
    with pytest.raises(UsageError, match=r"--select: no rule has the code 'KD110'; did you mean"):
        parse_codes(["KD110"], known=KNOWN, where="--select")
