"""The way in, which the launcher runs as `python -I -S`: no site-packages, so a `get` from the cache takes no time.

Nothing but the protocol's answer may reach stdout: whatever else is written there, by any library, goes to stderr.
"""

import gc
import os
import sys


def main() -> int:
    """Run the helper and return its exit code."""
    gc.disable()  # after one answer all is over; what the CLI loads would be searched for garbage for 150 ms
    out = os.dup(1)
    os.dup2(2, 1)
    root = os.path.abspath(__file__)
    for _ in ("helper", "credentials", "azext_acrscope", "the folder that holds the package"):
        root = os.path.dirname(root)
    sys.path.append(root)
    from azext_acrscope.credentials.helper import protocol

    code = protocol.main(sys.argv[1:], out)
    gc.freeze()  # else it would be searched at the end
    return code


if __name__ == "__main__":
    sys.exit(main())
