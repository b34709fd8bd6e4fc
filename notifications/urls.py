"""Addresses of the notifications pages."""

from django.urls import path

from notifications.views import campaigns, cards, confirming, health, messages, ownform, preferences, settings, texts, wishes

app_name = "notifications"
urlpatterns = [
    path("u/<str:token>/", preferences.preferences, name="preferences"),
    path("c/<str:token>/", confirming.confirm, name="confirm"),
    path("f/<str:token>/", ownform.form, name="form"),
    path("clients/<int:pk>/privacy-form/code.svg", ownform.code, name="form_code"),
    path("clients/<int:pk>/link/", confirming.again, name="link_again"),
    path("clients/<int:pk>/choices/", confirming.choices, name="choices_link"),
    path("messages/", messages.index, name="list"),
    path("messages/unknown/", messages.unknown, name="unknown"),
    path("messages/<int:pk>/stop/", messages.stop, name="stop"),
    path("messages/<int:pk>/resume/", messages.resume, name="resume"),
    path("messages/<int:pk>/send/", messages.let_go, name="let_go"),
    path("messages/<int:pk>/resend/", messages.resend, name="resend"),
    path("messages/new/", campaigns.new, name="new"),
    path("messages/campaigns/", campaigns.index, name="campaigns"),
    path("messages/campaigns/<int:pk>/", campaigns.detail, name="campaign"),
    path("messages/campaigns/<int:pk>/stop/", campaigns.stop, name="campaign_stop"),
    path("clients/<int:pk>/messages/", cards.of_client, name="of_client"),
    path("clients/<int:pk>/messages/address/", cards.try_address, name="try_address"),
    path("settings/notifications/triggers/", settings.switches, name="triggers"),
    path("settings/notifications/triggers/<str:kind>/", settings.soon, name="soon"),
    path("settings/notifications/reminders/", settings.times, name="times"),
    path("settings/notifications/texts/", texts.index, name="texts"),
    path("settings/notifications/texts/<str:kind>/<str:channel>/<str:language>/", texts.edit, name="text"),
    path("settings/notifications/texts/<str:kind>/<str:channel>/<str:language>/reset/", texts.reset, name="reset_text"),
    path("clients/<int:pk>/reminders/times/", wishes.of_client, name="reminders_of_client"),
    path("clients/<int:pk>/reminders/times/set/", wishes.set_of_client, name="set_of_client"),
    path("settings/notifications/sending/", settings.server, name="sending"),
    path("settings/notifications/sending/test/", settings.test, name="test_sending"),
    path("settings/health/", health.report, name="health"),
]
