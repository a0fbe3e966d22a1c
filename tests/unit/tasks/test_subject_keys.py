"""Keys of artifacts: each tells its character from all others."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tasks.artifacts import subject_key


def test_an_id_of_the_apps_own_form_is_its_key() -> None:
    assert subject_key("3f9a-41c0") == "3f9a-41c0"


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_subjects_have_two_keys_that_prefect_takes(one: str, other: str) -> None:
    keys = subject_key(one), subject_key(other)

    assert (keys[0] == keys[1]) == (one == other)
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", key) for key in keys)


def test_ids_that_differ_in_case_or_script_only_have_two_keys() -> None:
    assert len({subject_key(each) for each in ("mara-1", "Mara 1", "mara_1", "мара", "мира")}) == 5
