"""Which standing deployments are told to have no run."""

from typing import Any

import pytest

from storycanvas.services.flow_runs import ApiPath, keeper_of, missing_sentence, without_run

NAME = "process-jobs-standing"
DEPLOYMENT = {"id": "7", "name": NAME}
ON, OFF = [{"name": keeper_of(NAME), "enabled": on} for on in (True, False)]
OTHERS = {"name": keeper_of("another-standing"), "enabled": True}


def post_of(keeper: dict[str, Any] | None, unfinished: int | None, *runs: str) -> Any:  # noqa: ANN401 - a function
    answers = {
        "/deployments/filter": [DEPLOYMENT],
        "/automations/filter": [] if keeper is None else [keeper],
        "/flow_runs/count": unfinished,
        "/flow_runs/filter": [{"id": run} for run in runs],
    }

    def post(path: ApiPath, _body: dict[str, Any]) -> object:
        return answers[path]

    return post


@pytest.mark.parametrize(
    ("keeper", "unfinished", "expected"),
    [
        (ON, 0, [NAME]),
        (ON, 1, []),
        (ON, None, []),
        (OFF, 0, []),
        (OTHERS, 0, []),
        (None, 0, []),
    ],
    ids=[
        "without a run",
        "with a run",
        "no answer",
        "switched off",
        "another's automation",
        "not registered",
    ],
)
def test_a_standing_deployment_without_a_run_is_named(
    keeper: dict[str, Any] | None, unfinished: int | None, expected: list[str]
) -> None:
    found = without_run(post_of(keeper, unfinished))

    assert [deployment.name for deployment in found] == expected


def test_a_server_that_does_not_answer_names_none() -> None:
    assert without_run(lambda *_: None) == []


def test_each_run_has_one_next_run() -> None:
    keys = [without_run(post_of(ON, 0, *runs))[0].start_key for runs in ([], ["a"], ["b"])]
    again = without_run(post_of(ON, 0, "b"))[0].start_key

    assert len({*keys}) == 3
    assert again == keys[-1]


def test_the_sentence_names_the_deployment_and_the_remedy() -> None:
    sentence = missing_sentence(without_run(post_of(ON, 0)))

    assert f"No run of {NAME} is in progress" in sentence
    assert "storycanvas register" in sentence
