"""Where the SMS provider reports: what became of a message, and what clients send. Signed by it; no sign-in, no cookie.

Whatever it says twice, late or in another order does no harm, and whatever is not signed is refused without a look.
"""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import RequestValidator

from notifications import alarms, callbacks, inbound, receipts, smsaccount
from salon.core import public as address
from salon.core.models import Salon
from salon.core.web import public

# An answer to an SMS that says nothing back.
_NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


@csrf_exempt
@public
@require_POST
def status(request: HttpRequest, token: str) -> HttpResponse:
    """Take in what became of a message. A report about a message that is not known any more is a 204 like every other."""
    if not _is_signed(request):
        return HttpResponse(status=403)
    form = request.POST
    if form.get("MessageSid") and form.get("MessageStatus"):
        receipts.report(
            callbacks.read(token), provider_id=form["MessageSid"], status=form["MessageStatus"],
            code=form.get("ErrorCode", ""), now=timezone.now(),
        )  # fmt: skip
    return HttpResponse(status=204)


@csrf_exempt
@public
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take in an SMS from a client."""
    if not _is_signed(request):
        return HttpResponse(status=403)
    form = request.POST
    if form.get("MessageSid") and form.get("From"):
        inbound.receive(
            provider_id=form["MessageSid"], number=form["From"], text=form.get("Body", ""),
            opt_out_type=form.get("OptOutType", ""), now=timezone.now(),
        )  # fmt: skip
    return HttpResponse(_NOTHING, content_type="text/xml")


def _is_signed(request: HttpRequest) -> bool:
    """Return whether the provider has signed this request, to the public address as it stands in the settings."""
    token, base = smsaccount.auth_token(), address.base(Salon.objects.current())
    signature = request.headers.get("X-Twilio-Signature", "")
    is_signed = bool(token and base) and RequestValidator(token).validate(base + request.get_full_path(), request.POST, signature)
    if not is_signed:
        alarms.note_unsigned(request.POST.get("AccountSid", ""), now=timezone.now())
    return bool(is_signed)
