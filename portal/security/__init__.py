"""Who may see and do what: scope, permissions, visibility and the gate."""
