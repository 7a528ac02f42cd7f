"""What no fault may bring about; the text says what was seen."""


class Violation(AssertionError):  # noqa: N818  # it is what a fault brought about
    """Something that xpc promises does not hold."""
