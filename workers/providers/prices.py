"""What the providers' models cost."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_MILLION = 1_000_000
_DATE = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens; a question of more than `long_from` input tokens has the long prices
    throughout."""

    input: float
    output: float
    long_from: int | None = None
    long_input: float = 0
    long_output: float = 0


Prices = Mapping[str, Price]

# The providers' list prices, read in November 2026 on
#   developers.openai.com/api/docs/models/<model>
#   platform.claude.com/docs/en/models/<model>/overview
#   ai.google.dev/gemini-api/docs/pricing (gemini-3.8-flash: from January 2027; until then it is half of that)
DEFAULT_PRICES: Final[Prices] = MappingProxyType(
    {
        "gpt-6-luna": Price(0.10, 0.50, long_from=272_000, long_input=0.20, long_output=0.75),
        "gpt-5.6-luna": Price(0.20, 1.20, long_from=272_000, long_input=0.40, long_output=1.80),
        "claude-haiku-5-5": Price(0.10, 0.50, long_from=100_000, long_input=0.50, long_output=2.50),
        "claude-sonnet-5-5": Price(2.00, 10.00),
        "claude-opus-5-5": Price(4.00, 20.00),
        "gemini-3.8-flash": Price(1.50, 7.50),
        "gemini-3.5-flash": Price(1.50, 9.00),
    }
)


def cost(model: str, input_tokens: int, output_tokens: int, *, prices: Prices = DEFAULT_PRICES) -> float | None:
    """US dollars at list price, discounts for caches aside; None for a model without a price. A model named
    with its date has the price of the name without."""
    price = prices.get(model) or prices.get(_DATE.sub("", model))
    if price is None:
        return None
    if price.long_from is not None and input_tokens > price.long_from:
        return (input_tokens * price.long_input + output_tokens * price.long_output) / _MILLION
    return (input_tokens * price.input + output_tokens * price.output) / _MILLION
