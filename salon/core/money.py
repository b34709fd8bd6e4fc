"""Money as the reader's language writes it."""

from decimal import Decimal

from babel import Locale
from babel.numbers import format_currency
from django.utils.translation import get_language


def show(amount: Decimal, currency: str) -> str:
    """Return `amount` with its currency ("€42", "42 €", "42,50 €"): whole amounts without decimals."""
    locale = Locale.parse((get_language() or "en").replace("-", "_"))
    pattern = locale.currency_formats["standard"].pattern
    if amount == amount.to_integral_value():
        pattern = pattern.replace(".00", "")
    return format_currency(amount, currency, pattern, locale=locale, currency_digits=False)
