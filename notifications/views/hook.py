"""Where another system tells us what a client said there. Signed, so it needs no session and no CSRF token.

No cookie is read or set, nothing larger than a small form is read, and a failure of ours is a 503
(`salon.core.middleware.of_nobody`). Every answer is JSON.
"""

from django.http import HttpRequest, JsonResponse, RawPostDataException
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from notifications.bounces.told import EVENTS
from notifications.systems import inbound
from notifications.systems.inbound import Fault
from salon.core.web import public


@csrf_exempt
@public
def hook(request: HttpRequest, public_id: str) -> JsonResponse:
    """Take over a No that another system heard, or that a mail came back, and say what became of it."""
    system = inbound.find(public_id)
    try:
        if system is None:
            raise Fault(404, "unknown_address", "No system has this address. It stands in Carnet under Settings, Other systems.")
        if request.method != "POST":
            raise Fault(405, "method", "Send a POST.")
        if (request.content_type or "") not in {"application/json", ""}:
            raise Fault(415, "content_type", "Send application/json.")
        return JsonResponse(inbound.take(system, request.headers, _body(request), now=timezone.now(), others=EVENTS))
    except Fault as fault:
        headers = {"Allow": "POST"} if fault.status == 405 else {}
        return JsonResponse({"error": fault.code, "message": fault.message}, status=fault.status, headers=headers)


def _body(request: HttpRequest) -> bytes:
    """Return the body as it came. Raises Fault for a form, of which the middleware has read a part already."""
    try:
        return request.body
    except RawPostDataException as error:
        raise Fault(415, "content_type", "Send application/json.") from error
