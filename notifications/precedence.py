"""The reasons for which the gate keeps a message back, and which of several counts. Pure.

In words they stand in `reasons`.
"""

# Every reason, in the order in which they count: the first one is shown.
PRECEDENCE = (
    "error", "hold", "channel_off", "erased", "restricted", "inactive",
    # obsolete: what the message says is no longer so, or no longer of use
    "gone", "cancelled", "undone", "over", "moved", "duplicate", "past", "too_late", "expired", "answered", "halted",
    "not_done", "not_the_day", "booked", "asked_lately",
    "no_address", "not_a_mobile", "invalid_address", "suppressed_all", "channel_stop", "marketing_objection",
    "consent_missing", "profiling_missing", "reply_waits", "paused", "client_refused", "blacklisted", "minor",
    "no_public_address", "no_target", "automation_off", "frequency_cap", "over_budget", "over_cap",
)  # fmt: skip
OF_THE_HOUSE = frozenset({"hold", "channel_off"})
# Reasons that lie with the address alone: they end with it.
OF_ADDRESS = frozenset({"not_a_mobile", "invalid_address", "suppressed_all", "channel_stop"})
OBSOLETE = frozenset({
    "gone", "cancelled", "undone", "over", "moved", "duplicate", "past", "too_late", "expired", "answered", "halted",
    "not_done", "not_the_day", "booked", "asked_lately",
})  # fmt: skip
