"""Pages that every app with officers has, a module for each subject."""
