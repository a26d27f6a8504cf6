"""`python -m deploy.healthy URL`: ends with 0 if that answers well; for health checks, since the image has no curl."""

import sys
from urllib.error import URLError
from urllib.request import urlopen

WITHIN = 2.0


def is_process_healthy(url: str) -> bool:
    """Whether it answers with 200 in time."""
    try:
        with urlopen(url, timeout=WITHIN) as answer:
            return bool(answer.status == 200)
    except (URLError, TimeoutError, ConnectionError):
        return False


if __name__ == "__main__":
    sys.exit(0 if is_process_healthy(sys.argv[1]) else 1)
