"""What people can put right themselves."""


class UserError(Exception):
    """A mistake in what was asked for: its text is all that is shown, and says what to do."""
