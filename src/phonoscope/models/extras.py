"""Packages that are installed with an extra of phonoscope only."""

from importlib.util import find_spec

from phonoscope.core.errors import UsageError


def need(who: str, *packages: str, extra: str) -> None:
    """Nothing, if these packages are installed; none of them is imported.

    Args:
        who: what needs them, for the message.
        packages: as they are imported.
        extra: what installs them, as `pip install 'phonoscope[extra]'`.

    Raises:
        UsageError: some are not.
    """
    if missing := [package.replace("_", "-") for package in packages if find_spec(package) is None]:
        raise UsageError(f"{who} needs {' and '.join(missing)}: pip install 'phonoscope[{extra}]'")
