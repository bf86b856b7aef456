"""The dashboards: one Dash app on the portal's own server, behind the same gate; it draws the figures, our pages the rest."""
