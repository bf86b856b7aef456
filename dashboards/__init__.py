"""The dashboards: one Dash app on the portal's own server, behind the same gate; it draws figures, the portal's pages do the rest."""
