"""The dashboards: one Dash app on the portal's own server, behind the same gate.

Dash draws the charts. Tables, filters and words are ordinary pages of the portal.
"""
