# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What tests of the package expect."""


def raises(error, message, action, *arguments, **options):
    """The error that the call raises, whose text must hold `message`."""
    try:
        action(*arguments, **options)
    except error as caught:
        assert message in str(caught), (message, str(caught))
        return caught
    raise AssertionError(f"no {error.__name__}: {message}")
