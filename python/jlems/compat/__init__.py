"""Other programs' interfaces, served by jlems."""
