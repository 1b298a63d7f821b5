"""The C library's heap, which keeps what the process has given back."""

import ctypes
import gc


def trim_heap() -> bool:
    """Give the system back what nobody holds any more; return whether there was anything.

    Loading a model takes a hundred MiB more than serving it, and glibc keeps most of them. Where
    another C library is in use, nothing happens.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    return bool(trim(0))
