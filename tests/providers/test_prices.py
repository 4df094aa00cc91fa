"""What an answer costs."""

import pytest

from workers.providers import anthropic, google, openai
from workers.providers.prices import DEFAULT_PRICES, Price, cost

PRICES = {"small": Price(1, 4), "long": Price(1, 4, long_from=100, long_input=2, long_output=6)}


def test_a_cost_is_the_sum_of_both_directions() -> None:
    assert cost("small", 500_000, 250_000, prices=PRICES) == pytest.approx(1.5)


def test_a_long_question_has_the_long_price_throughout() -> None:
    assert cost("long", 100, 10, prices=PRICES) == pytest.approx(140e-6)
    assert cost("long", 101, 10, prices=PRICES) == pytest.approx(262e-6)


def test_a_model_without_a_price_has_no_cost() -> None:
    assert cost("other", 1, 1, prices=PRICES) is None


@pytest.mark.parametrize("dated", ["small-2026-03-17", "small-20260317"])
def test_a_model_named_with_its_date_has_the_price_of_its_name(dated: str) -> None:
    assert cost(dated, 1_000_000, 0, prices=PRICES) == pytest.approx(1)


def test_a_model_of_a_similar_name_has_another_price() -> None:
    assert cost("small-2", 1, 1, prices=PRICES) is None


def test_every_default_model_has_a_price() -> None:
    for module in (openai, anthropic, google):
        assert module.DEFAULT_MODEL in DEFAULT_PRICES
