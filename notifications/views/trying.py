"""What came of a test of a mail server, a mailbox or an SMS account, in the provider's words. Used by the pages that try one."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone

from salon.core.web import SignedIn, go, is_fragment, page, toast

_TEMPLATE = "notifications/_test_result.html"


def answer(request: SignedIn, words: str, *, is_good: bool, back: str) -> HttpResponse:
    """Show the words where the test was pressed, or as a toast on the page of the URL name `back`."""
    if is_fragment(request):
        context = {"words": words, "is_good": is_good, "at": timezone.now()}
        return page(request, _TEMPLATE, context, fragment=_TEMPLATE)
    toast(request, words, level=messages.SUCCESS if is_good else messages.ERROR)
    return go(request, back)
