"""Money, tokens and seconds as a person reads them; what is unknown says so.

Each takes whatever number there is, gives a short text and never raises.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

UNKNOWN: Final = "unknown"
_CENT: Final = Decimal("0.01")
_LEAST: Final = Decimal("0.000001")  # US dollars of an amount
_LEAST_PRICE: Final = Decimal("1e-12")  # US dollars per million tokens; below it, digits say nothing to anyone
_MOST: Final = Decimal(10) ** 12  # likewise above it
_MOST_TOKENS: Final = 10**12
_MOST_SECONDS: Final = 10**9
# Of our own: a notebook may have changed decimal's precision and traps. Wide enough for what is between the bounds.
_SHOWN: Final = Context(prec=60, rounding=ROUND_HALF_UP, Emin=-999_999, Emax=999_999, capitals=1, clamp=0, traps=[])


def money(usd: Decimal | None) -> str:
    """Return an amount of US dollars, two digits that count below a dollar: "$12.50", "$0.35", "$0.0021", "$0".

    Above 10^12: ">$1,000,000,000,000". What is no number is "unknown".
    """
    if usd is None or not usd.is_finite():
        return UNKNOWN
    sign, size = ("-" if usd < 0 else ""), usd.copy_abs()
    if not size:
        return "$0"
    if size < _LEAST:
        return f"{sign}<$0.000001"
    if size > _MOST:
        return f"{sign}>${_MOST:,f}"
    if size < 1:  # two digits that count, at least cents
        step = min(_CENT, Decimal((0, (1,), size.adjusted() - 1)))
        shown = size.quantize(step, ROUND_HALF_UP, _SHOWN)
        if shown < _CENT * 10:
            return f"{sign}${_trimmed(f'{shown:f}')}"
        size = shown  # may have been rounded up to ten cents
    return f"{sign}${size.quantize(_CENT, ROUND_HALF_UP, _SHOWN):,f}"


def price(usd_per_million: Decimal | None) -> str:
    """Return a published price exactly, cents at least: "$0.25", "$0.0375", "$15.00", "free", "unknown".

    A price beyond 20 digits is shown rounded, one beyond any use as "<$0.000000000001" or ">$1,000,000,000,000".
    """
    if usd_per_million is None or not usd_per_million.is_finite() or usd_per_million < 0:
        return UNKNOWN
    if not usd_per_million:
        return "free"
    if usd_per_million < _LEAST_PRICE:
        return f"<${_LEAST_PRICE:f}"
    if usd_per_million > _MOST:
        return f">${_MOST:,f}"
    exact = Context(prec=20, rounding=ROUND_HALF_UP, traps=[]).plus(usd_per_million).normalize(_SHOWN)
    exponent = exact.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else 0
    return f"${exact.quantize(Decimal((0, (1,), -max(2, digits))), None, _SHOWN):,f}"


def tokens(count: int | None) -> str:
    """Return a size in tokens, three digits that count: "950", "16.4k", "200k", "1.05M", "unknown"."""
    if count is None or count < 0:
        return UNKNOWN
    if count < 1000:
        return str(count)
    if count < 999_500:
        return f"{_three(count / 1000)}k"
    if count > _MOST_TOKENS:
        return f">{_MOST_TOKENS // 1_000_000:,}M"
    return f"{_three(count / 1_000_000)}M"


def seconds(duration: float | None) -> str:
    """Return a duration: "0.21 s", "12.3 s", "2 min 05 s", "unknown"."""
    if duration is None or not -_MOST_SECONDS < duration < _MOST_SECONDS or math.isnan(duration):
        return UNKNOWN
    if duration < 9.995:
        return f"{duration:.2f} s"
    if duration < 59.95:
        return f"{duration:.1f} s"
    whole = round(duration)
    return f"{whole // 60} min {whole % 60:02d} s"


def _three(value: float) -> str:
    text = f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"
    return _trimmed(text)


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
