"""Addresses of the notifications pages."""

from django.urls import path

from notifications.views import (
    campaigns,
    cards,
    confirming,
    health,
    hooks,
    messages,
    ownform,
    preferences,
    replies,
    settings,
    texting,
)

app_name = "notifications"
urlpatterns = [
    path("u/<str:token>/", preferences.preferences, name="preferences"),
    path("c/<str:token>/", confirming.confirm, name="confirm"),
    path("f/<str:token>/", ownform.form, name="form"),
    path("s/<str:token>/", texting.short, name="short"),
    path("hooks/twilio/status/<str:token>/", hooks.status, name="twilio_status"),
    path("hooks/twilio/inbound/", hooks.receive, name="twilio_inbound"),
    path("clients/<int:pk>/privacy-form/code.svg", ownform.code, name="form_code"),
    path("clients/<int:pk>/link/", confirming.again, name="link_again"),
    path("clients/<int:pk>/choices/", confirming.choices, name="choices_link"),
    path("messages/", messages.index, name="list"),
    path("messages/unknown/", messages.unknown, name="unknown"),
    path("messages/<int:pk>/stop/", messages.stop, name="stop"),
    path("messages/<int:pk>/resume/", messages.resume, name="resume"),
    path("messages/<int:pk>/send/", messages.let_go, name="let_go"),
    path("messages/<int:pk>/resend/", messages.resend, name="resend"),
    path("messages/replies/", replies.index, name="replies"),
    path("messages/replies/<int:pk>/", replies.handle, name="reply_handle"),
    path("messages/new/", campaigns.new, name="new"),
    path("messages/campaigns/", campaigns.index, name="campaigns"),
    path("messages/campaigns/<int:pk>/", campaigns.detail, name="campaign"),
    path("messages/campaigns/<int:pk>/stop/", campaigns.stop, name="campaign_stop"),
    path("clients/<int:pk>/messages/", cards.of_client, name="of_client"),
    path("clients/<int:pk>/messages/address/", cards.try_address, name="try_address"),
    path("settings/notifications/triggers/", settings.switches, name="triggers"),
    path("settings/notifications/sending/", settings.server, name="sending"),
    path("settings/notifications/sending/test/", settings.test, name="test_sending"),
    path("settings/notifications/sms/", texting.account, name="sms"),
    path("settings/notifications/sms/test/", texting.test, name="test_sms"),
    path("settings/notifications/sms/switch/", texting.switch, name="sms_switch"),
    path("settings/health/", health.report, name="health"),
]
