"""What the log tells of an error: where it was and what led to it, and nothing that anybody has given us."""

import json
from collections.abc import Callable

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from jobs.errors import DoNotRetry
from jobs.tracebacks import DEEPEST_GROUPS, MOST_ERRORS, told

PROMPT = "canary-of-the-prompt"


def test_an_error_is_told_with_its_place_and_with_what_led_to_it() -> None:
    """The newest last, as Python has it; of none of these what it says."""
    error = met(lambda: fail_after(lambda: json.loads("{" + PROMPT)))

    text = told(error)

    assert text.index("JSONDecodeError") < text.index("DoNotRetry")
    assert text.count("test_tracebacks.py") >= 3
    assert "in fail_after" in text
    assert PROMPT not in text


def test_only_errors_that_quote_nobody_say_what_is_wrong() -> None:
    """A command that failed is told with its arguments by the store's own library."""
    quoting = ResponseError(f"Command # 1 (SET key {PROMPT}) of pipeline caused error: OOM")

    assert told(quoting).splitlines() == ["ResponseError"]
    assert "connecting to store:6379" in told(RedisConnectionError("Error 111 connecting to store:6379."))
    assert "/var/lib/nothing" in told(met(lambda: open("/var/lib/nothing")))  # noqa: PTH123, SIM115


def test_every_error_of_a_group_is_told_and_no_note() -> None:
    error = ValueError(PROMPT)
    error.add_note(PROMPT)

    text = told(ExceptionGroup(PROMPT, [error, TypeError("an int"), ExceptionGroup("", [KeyError(PROMPT)])]))

    assert [line.strip() for line in text.splitlines()] == [
        "ExceptionGroup",
        "ValueError",
        "TypeError: an int",
        "ExceptionGroup",
        "KeyError",
    ]


def test_a_chain_without_end_has_one_here() -> None:
    """Errors that led to each other, and groups within groups."""
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    deep: Exception = ValueError()
    for _ in range(100):
        deep = ExceptionGroup("", [deep])
    long: Exception = ValueError()
    for _ in range(100):
        later = ValueError()
        later.__cause__, long = long, later

    assert told(one).splitlines() == ["KeyError", "ValueError"]
    assert len(told(deep).splitlines()) == DEEPEST_GROUPS + 1
    assert len(told(long).splitlines()) == MOST_ERRORS


def fail_after(act: Callable[[], object]) -> None:
    try:
        act()
    except ValueError as error:
        raise DoNotRetry(PROMPT) from error


def met(act: Callable[[], object]) -> BaseException:
    try:
        act()
    except (DoNotRetry, OSError) as error:
        return error
    raise AssertionError("nothing was raised")


def test_of_a_long_traceback_the_newest_whole_lines_are_told() -> None:
    """What is cut in the middle could be a secret that nobody recognises any more."""
    error = ExceptionGroup("", [TypeError(f"{number} {'x' * 500} {number}") for number in range(20)])

    first, *lines = told(error).splitlines()

    assert first == "..."
    assert [line.split()[1] for line in lines] == [line.split()[-1] for line in lines]
    assert lines[-1].split()[1] == "19"
    assert 1 < len(lines) < 20
