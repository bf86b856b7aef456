"""What a setting is and which values it takes."""
