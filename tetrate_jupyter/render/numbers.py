"""Money, tokens and seconds as a person reads them; what is unknown says so."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

UNKNOWN: Final = "unknown"
_CENT: Final = Decimal("0.01")
_LEAST: Final = Decimal("0.000001")


def money(usd: Decimal | None) -> str:
    """Give an amount of US dollars, two digits that count below a dollar: "$12.50", "$0.35", "$0.0021", "$0"."""
    if usd is None:
        return UNKNOWN
    sign, size = ("-" if usd < 0 else ""), abs(usd)
    if not size:
        return "$0"
    if size < _LEAST:
        return f"{sign}<$0.000001"
    if size < 1:  # two digits that count, at least cents
        step = min(_CENT, Decimal(1).scaleb(size.adjusted() - 1))
        shown = size.quantize(step, ROUND_HALF_UP)
        text = f"{shown:f}"
        return f"{sign}${text if shown >= _CENT * 10 else _trimmed(text)}"
    return f"{sign}${size.quantize(_CENT, ROUND_HALF_UP):,f}"


def price(usd_per_million: Decimal | None) -> str:
    """Give a published price exactly, cents at least: "$0.25", "$0.0375", "$15.00", "free", "unknown"."""
    if usd_per_million is None:
        return UNKNOWN
    if not usd_per_million:
        return "free"
    exact = usd_per_million.normalize()
    exponent = exact.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else 0
    return f"${exact:,.{max(2, digits)}f}"


def tokens(count: int | None) -> str:
    """Give a size in tokens, three digits that count: "950", "16.4k", "200k", "1.05M", "unknown"."""
    if count is None:
        return UNKNOWN
    if count < 1000:
        return str(count)
    if count < 999_500:
        return f"{_three(count / 1000)}k"
    return f"{_three(count / 1_000_000)}M"


def seconds(duration: float | None) -> str:
    """Give a duration: "0.21 s", "12.3 s", "2 min 05 s", "unknown"."""
    if duration is None:
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
