"""The rules, one module per group of reference codes. ``quality.rules`` assembles them; nothing else lives here."""
