"""The rules, by mechanism: one module a theme, each with a `RULES` tuple whose order is precedence."""
