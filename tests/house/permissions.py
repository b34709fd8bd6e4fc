"""The permission table: who may open which address. One row a URL name; a name without a row fails the build.

Written by hand and apart from the code: it is what the salon was promised, the decorators are what was built.
"""

from dataclasses import dataclass, field

from salon.core.roles import Role

ALL = frozenset(Role)
DESK = frozenset({Role.OWNER, Role.MANAGER, Role.RECEPTION})
LEAD = frozenset({Role.OWNER, Role.MANAGER})
OWNER = frozenset({Role.OWNER})


@dataclass(frozen=True)
class Row:
    """Which roles may enter, by which method it is asked, and what stands in its address.

    `args` are the values of the address; a word names the row that the walk makes ("client", "visit", ...).
    """

    roles: frozenset[Role]
    method: str = "get"
    args: dict[str, str] = field(default_factory=dict)
    is_public: bool = False
    # For a page that more may read than change: who may send its form.
    changed_by: frozenset[Role] | None = None
    # For something that only the one who asked for it may open; in the walk that is Olivia.
    is_own: bool = False
    # Another system reports there; it proves itself by its signature.
    is_signed: bool = False


def get(roles: frozenset[Role], changed_by: frozenset[Role] | None = None, **args: str) -> Row:
    """Return a page that `roles` may open, and `changed_by` alone change."""
    return Row(roles, "get", args, changed_by=changed_by)


def post(roles: frozenset[Role], **args: str) -> Row:
    """Return an act that `roles` may do."""
    return Row(roles, "post", args)


def own(roles: frozenset[Role], method: str = "get", **args: str) -> Row:
    """Return an address at which each of `roles` finds what is their own, and nobody anything else."""
    return Row(roles, method, args, is_own=True)


def public(**args: str) -> Row:
    """Return an address that anybody may open."""
    return Row(frozenset(Role), "get", args, is_public=True)


def hook(**args: str) -> Row:
    """Return an address at which another system reports, which proves itself by its signature."""
    return Row(frozenset(Role), "post", args, is_public=True, is_signed=True)


# Each table of the admin, and the row that the walk opens.
ADMIN = {
    "core_user": "member", "core_salon": "1", "core_auditevent": "1", "core_setuplink": "1",
    "clients_client": "client", "clients_consentevent": "1", "clients_standing": "1", "clients_subject": "1",
    "clients_consentevidence": "1", "clients_consenttext": "1", "clients_address": "1", "clients_openedcard": "1",
    "appointments_appointment": "visit", "appointments_service": "service", "appointments_staff": "staff",
    "appointments_workinghours": "1", "appointments_staffday": "1",
    "notifications_message": "message", "notifications_attempt": "1", "notifications_trigger": "reminder",
    "notifications_mailserver": "1", "notifications_provider": "smtp", "notifications_heartbeat": "plan",
    "clients_tag": "1", "clients_clientcontact": "1", "clients_clientlink": "1", "clients_healthnote": "1",
    "clients_import": "import", "clients_importedcard": "1", "clients_export": "export", "clients_exportpart": "1",
    "clients_signedform": "1", "clients_merge": "merge", "clients_mergedhealthnote": "1",
    "clients_deletion": "deletion", "clients_erasure": "1", "clients_outsidecopy": "1", "clients_rightsrequest": "1",
    "clients_restriction": "restriction", "clients_retentionrule": "clients", "clients_retentionwarning": "1",
    "clients_retentionhold": "hold", "clients_deletionrun": "deletion_run",
    "clients_processing": "cards", "clients_breach": "breach",
    "appointments_usualstaff": "1", "appointments_ownrhythm": "1", "notifications_remindertime": "1",
    "notifications_reminderexception": "1", "notifications_messagetext": "1",
    "notifications_campaign": "campaign", "notifications_campaignrecipient": "1",
    "notifications_othersystem": "system", "notifications_delivery": "delivery", "notifications_change": "1",
    "notifications_received": "1", "notifications_mailbox": "1",
    "notifications_smsaccount": "1", "notifications_providerevent": "1", "notifications_reply": "reply",
    "core_notice": "1", "clients_savedfilter": "filter", "clients_tagrun": "tagrun",
    "clients_cardrun": "cardrun", "clients_blacklisting": "1", "clients_duplicatepair": "pair", "clients_duplicatesearch": "1",
    "clients_existingrule": "1", "notifications_smstest": "1",
}  # fmt: skip

TABLE: dict[str, Row] = {
    "home": public(),
    # sign-in: allauth's own pages
    "account_login": public(),
    "account_logout": public(),
    "account_inactive": public(),
    "account_reauthenticate": get(ALL),
    "account_change_password": get(ALL),
    "account_reset_password": public(),
    "account_reset_password_done": public(),
    "account_reset_password_from_key": public(uidb36="1", key="wrong"),
    "account_reset_password_from_key_done": public(),
    "mfa_index": public(),  # leads to core:security
    "mfa_authenticate": public(),
    "mfa_reauthenticate": get(ALL),
    "mfa_activate_totp": get(ALL),
    "mfa_deactivate_totp": get(ALL),
    "mfa_view_recovery_codes": get(ALL),
    "mfa_generate_recovery_codes": get(ALL),
    "mfa_download_recovery_codes": get(ALL),
    # the ground floor
    "core:healthz": public(),
    "core:setup_closed": public(),
    "core:setup": public(token="wrong"),
    "core:join": public(uid="1", token="wrong"),
    "core:me": get(ALL),
    "core:shortcuts": post(ALL),
    "core:notices": get(ALL),
    "core:notices_read": post(ALL),
    "core:settings": get(ALL),
    "core:first_steps": get(DESK),
    "core:security": get(ALL),
    "core:end_sessions": post(ALL),
    "core:end_session": own(ALL, "post", pk="session"),
    "core:activity": get(LEAD),
    "core:salon": get(DESK, changed_by=LEAD),
    "core:team": get(DESK),
    "core:invite": get(OWNER),
    "core:link": get(OWNER, pk="member"),
    "core:role": post(OWNER, pk="member"),
    "core:deactivate": post(OWNER, pk="member"),
    "core:reactivate": post(OWNER, pk="member"),
    "core:second_factor": get(OWNER, pk="member"),
    # clients
    "clients:list": get(ALL),
    "clients:filter": get(ALL),
    "clients:filters": get(ALL),
    "clients:filter_save": get(DESK),
    "clients:filter_undo": post(DESK),
    "clients:filter_delete": post(DESK, pk="filter"),
    "clients:tag_many": get(DESK),
    "clients:untag_many": get(DESK),
    "clients:tag_run": get(DESK, pk="tagrun"),
    "clients:tag_undo": post(DESK, pk="tagrun"),
    "clients:inactive": get(DESK),
    "clients:active": get(DESK),
    "clients:blacklist": get(DESK),
    "clients:unblacklist": get(DESK),
    "clients:card_run": get(DESK, pk="cardrun"),
    "clients:card_undo": post(DESK, pk="cardrun"),
    "clients:duplicates": get(DESK),
    "clients:duplicate_search": post(DESK),
    "clients:duplicate_merge": post(DESK),
    "clients:duplicate_answer": post(DESK, pk="pair"),
    "clients:duplicate_undo": post(DESK, pk="pair"),
    "clients:labels": get(LEAD),
    "clients:add": get(DESK),
    "clients:card": get(ALL, pk="client"),
    "clients:edit": get(DESK, pk="client"),
    "clients:address": get(ALL, pk="client"),
    "clients:address_edit": get(DESK, pk="client"),
    "clients:other": get(ALL, pk="client"),
    "clients:details_edit": get(DESK, pk="client"),
    "clients:undo": post(DESK, pk="client"),
    "clients:tags": post(DESK, pk="client"),
    "clients:contacts": post(DESK, pk="client"),
    "clients:links": get(DESK, pk="client"),
    "clients:note": get(ALL, pk="client"),
    "clients:privacy_form": get(ALL, pk="client"),
    "clients:health": get(ALL, pk="client"),
    "clients:health_consent": post(ALL, pk="client"),
    "clients:consent": post(ALL, pk="client"),
    "clients:consent_kind": post(ALL, pk="client"),
    "clients:consent_sheet": get(ALL, pk="client"),
    "clients:signed_form": get(DESK, pk="client", number="sheet"),
    "clients:consent_undo": post(ALL, pk="client"),
    "clients:consent_history": get(ALL, pk="client"),
    "clients:privacy": get(DESK),
    "clients:wordings": get(DESK),
    "clients:wording": get(DESK, changed_by=LEAD, pk="wording"),
    "clients:search": get(ALL),
    "clients:merge": get(DESK),
    "clients:merge_with": get(DESK, pk="client"),
    "clients:merge_undo": get(DESK, pk="merge"),
    "clients:delete": get(LEAD, pk="client"),
    "clients:inactive_instead": post(DESK, pk="client"),
    "clients:deleted": get(LEAD),
    "clients:delete_many": get(LEAD),
    "clients:deletion_run": get(LEAD, pk="deletion_run"),
    "clients:bring_back": post(OWNER, pk="deletion"),
    "clients:erase_now": post(OWNER, pk="deletion"),
    "clients:data": get(LEAD, pk="client"),
    "clients:correction": get(LEAD, pk="client"),
    "clients:restrict": get(LEAD, pk="client"),
    "clients:restricted": get(LEAD),
    "clients:restricted_card": get(LEAD, pk="restricted_client"),
    "clients:lift": get(LEAD, pk="restriction"),
    "clients:requests": get(LEAD),
    "clients:retention": get(DESK, changed_by=OWNER),
    "clients:retention_due": get(LEAD),
    "clients:retention_keep": post(LEAD, pk="client"),
    "clients:retention_let_go": post(LEAD, pk="hold"),
    "clients:existing": get(DESK, changed_by=OWNER),
    "clients:processings": get(DESK),
    "clients:processing": get(LEAD, code="cards"),
    "clients:breaches": get(LEAD),
    "clients:breach_add": get(LEAD),
    "clients:breach": get(LEAD, pk="breach"),
    "clients:imports": get(LEAD),
    "clients:import_template": get(LEAD),
    "clients:import": get(LEAD, pk="import"),
    "clients:import_columns": get(LEAD, pk="import"),
    "clients:import_start": post(LEAD, pk="import"),
    "clients:import_undo": post(LEAD, pk="import"),
    "clients:import_discard": post(LEAD, pk="import"),
    "clients:import_faulty": get(LEAD, pk="import"),
    "clients:export": get(LEAD),
    "clients:export_job": own(LEAD, pk="export"),
    "clients:export_file": own(LEAD, pk="export"),
    "clients:export_again": own(LEAD, "post", pk="export"),
    # appointments
    "appointments:today": get(ALL),
    "appointments:day": get(ALL, iso="2026-11-18"),
    "appointments:book": get(ALL),
    "appointments:detail": get(ALL, pk="visit"),
    "appointments:move": get(ALL, pk="visit"),
    "appointments:cancel": get(ALL, pk="visit"),
    "appointments:status": post(ALL, pk="visit"),
    "appointments:note": post(ALL, pk="visit"),
    "appointments:undo": post(ALL, pk="visit"),
    "appointments:of_client": get(ALL, pk="client"),
    "appointments:usual": get(ALL, pk="client"),
    "appointments:rhythm": get(ALL, pk="client"),
    "appointments:set_rhythm": post(DESK, pk="client"),
    "appointments:set_usual": post(DESK, pk="client"),
    "appointments:services": get(DESK),
    "appointments:service_add": get(LEAD),
    "appointments:service_edit": get(LEAD, pk="service"),
    "appointments:staff": get(DESK),
    "appointments:staff_add": get(LEAD),
    "appointments:staff_edit": get(LEAD, pk="staff"),
    # messages
    "notifications:preferences": public(token="wrong"),
    "notifications:confirm": public(token="wrong"),
    "notifications:form": public(token="wrong"),
    "notifications:short": public(token="wrong"),
    "notifications:twilio_status": hook(token="wrong"),
    "notifications:twilio_inbound": hook(),
    "notifications:form_code": get(ALL, pk="client"),
    "notifications:link_again": post(ALL, pk="client"),
    "notifications:choices_link": post(ALL, pk="client"),
    "notifications:list": get(DESK),
    "notifications:unknown": get(DESK),
    "notifications:resend": get(LEAD, pk="message"),
    "notifications:stop": post(DESK, pk="message"),
    "notifications:let_go": post(LEAD, pk="message"),
    "notifications:resume": post(DESK, pk="message"),
    "notifications:replies": get(DESK),
    "notifications:reply_handle": post(DESK, pk="reply"),
    "notifications:new": get(LEAD),
    "notifications:campaigns": get(DESK),
    "notifications:campaign": get(DESK, pk="campaign"),
    "notifications:campaign_stop": post(LEAD, pk="campaign"),
    "notifications:campaign_resume": post(LEAD, pk="campaign"),
    "notifications:of_client": get(ALL, pk="client"),
    "notifications:try_address": post(DESK, pk="client"),
    "notifications:triggers": get(DESK, changed_by=LEAD),
    "notifications:soon": get(DESK, kind="birthday"),
    "notifications:times": get(DESK, changed_by=LEAD),
    "notifications:texts": get(DESK),
    "notifications:text": get(DESK, changed_by=LEAD, kind="birthday", channel="email", language="fr"),
    "notifications:reset_text": post(LEAD, kind="birthday", channel="email", language="fr"),
    "notifications:reminders_of_client": get(ALL, pk="client"),
    "notifications:set_of_client": post(DESK, pk="client"),
    "notifications:pause": get(DESK),
    "notifications:pause_switch": post(LEAD),
    "notifications:sending": get(DESK, changed_by=OWNER),
    "notifications:test_sending": post(OWNER),
    "notifications:remove_sending": post(OWNER),
    "notifications:domain": get(OWNER),
    "notifications:mailbox": get(DESK, changed_by=OWNER),
    "notifications:test_mailbox": post(OWNER),
    "notifications:forget_mailbox": post(OWNER),
    "notifications:sms": get(DESK, changed_by=OWNER),
    "notifications:test_sms": post(OWNER),
    "notifications:sms_switch": post(OWNER),
    "notifications:health": get(OWNER),
    # other systems
    "notifications:hook": public(public_id="wrong"),
    "notifications:inform": get(DESK),
    "notifications:inform_done": post(DESK, pk="by_hand"),
    "notifications:inform_undo": post(DESK),
    "notifications:refusals": post(LEAD),
    "notifications:systems": get(OWNER),
    "notifications:system_add": get(OWNER),
    "notifications:system": get(OWNER, pk="system"),
    "notifications:system_edit": get(OWNER, pk="system"),
    "notifications:system_rotate": post(OWNER, pk="system"),
    "notifications:system_test": post(OWNER, pk="by_hand"),
    "notifications:system_switch": post(OWNER, pk="system"),
    "notifications:system_remove": post(OWNER, pk="system"),
    "notifications:delivery_again": post(OWNER, pk="delivery"),
    # the Django admin: each table a list and a row, three tables a page to add
    "admin:index": get(OWNER),
    "admin:app_list": get(OWNER, app_label="clients"),
    "admin:jsi18n": get(OWNER),
    "admin:notifications_message_plan": post(OWNER),
    **{f"admin:{table}_add": get(OWNER) for table in ("core_user", "appointments_service", "appointments_staff")},
    **{f"admin:{table}_changelist": get(OWNER) for table in ADMIN},
    **{f"admin:{table}_change": get(OWNER, object_id=key) for table, key in ADMIN.items()},
}
