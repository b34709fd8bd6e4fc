"""Pages of the ground floor."""

from django.urls import path

from salon.core import activity_views, notice_views, security_views, team_views, views

app_name = "core"
urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("setup/", views.setup_closed, name="setup_closed"),
    path("setup/<str:token>/", views.setup_page, name="setup"),
    path("join/<int:uid>/<str:token>/", team_views.join, name="join"),
    path("me/", views.me, name="me"),
    path("me/shortcuts/", views.shortcuts, name="shortcuts"),
    path("notices/", notice_views.index, name="notices"),
    path("notices/read/", notice_views.read, name="notices_read"),
    path("settings/", views.settings_index, name="settings"),
    path("settings/first-steps/", views.first_steps, name="first_steps"),
    path("settings/activity/", activity_views.index, name="activity"),
    path("settings/salon/", views.salon_page, name="salon"),
    path("settings/security/", security_views.security, name="security"),
    path("settings/security/sessions/end/", security_views.end_sessions, name="end_sessions"),
    path("settings/security/sessions/<int:pk>/end/", security_views.end_session, name="end_session"),
    path("settings/team/", team_views.members, name="team"),
    path("settings/team/invite/", team_views.invite, name="invite"),
    path("settings/team/<int:pk>/link/", team_views.link, name="link"),
    path("settings/team/<int:pk>/role/", team_views.role, name="role"),
    path("settings/team/<int:pk>/deactivate/", team_views.deactivate, name="deactivate"),
    path("settings/team/<int:pk>/reactivate/", team_views.reactivate, name="reactivate"),
    path("settings/team/<int:pk>/second-factor/", team_views.second_factor, name="second_factor"),
]
