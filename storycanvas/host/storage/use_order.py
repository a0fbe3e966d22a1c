"""Which pictures there are, which was used last, and which must stay: decisions only."""

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class _Use:
    size: int
    used_at: int
    awaited_until: float = 0.0


class UseOrder:
    """Keeps account of pictures by name; touches no disk and has no lock.

    The order is that of the calls, so a clock that goes backwards does not disturb it.

    Attributes:
        bytes: Size of all pictures together.
    """

    def __init__(self, max_bytes: int) -> None:
        self.bytes = 0
        self._max_bytes = max_bytes
        self._uses: OrderedDict[str, _Use] = OrderedDict()
        self._held: Counter[str] = Counter()

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self._uses)

    def used(self, name: str, size: int, used_at: int) -> None:
        """Note that a picture of `size` bytes was used now, in nanoseconds since 1970."""
        use = self._uses.setdefault(name, _Use(0, used_at))
        self.bytes += size - use.size
        use.size, use.used_at = size, used_at
        self._uses.move_to_end(name)

    def forget(self, name: str) -> None:
        """Note that a picture is gone."""
        use = self._uses.pop(name, None)
        if use is not None:
            self.bytes -= use.size

    def hold(self, name: str) -> None:
        """Keep a picture until it is released as often as it was held."""
        self._held[name] += 1

    def release(self, name: str) -> None:
        """Undo one `hold`."""
        self._held[name] -= 1
        if self._held[name] <= 0:
            del self._held[name]

    def expect(self, name: str, until: float) -> None:
        """Keep a picture for the caller that is about to fetch it.

        Args:
            name: Ignored if there is no such picture.
            until: Reading of the monotonic clock up to which it stays; 0 ends it.
        """
        if name in self._uses:
            self._uses[name].awaited_until = until

    def surplus(self, size: int, now: float, stuck: Collection[str] = ()) -> list[str]:
        """Choose what goes so that a new picture fits below the bound.

        Args:
            size: Bytes of the new picture.
            now: Reading of the monotonic clock.
            stuck: Names that could not be removed.

        Returns:
            Names, least recently used first; all that may go if even that is not enough.
        """
        excess = self.bytes + size - self._max_bytes
        chosen: list[str] = []
        for name, use in self._free(now) if excess > 0 else ():
            if name not in stuck:
                chosen.append(name)
                excess -= use.size
            if excess <= 0:
                break
        return chosen

    def unused_since(self, when: int, now: float) -> list[str]:
        """Name the pictures last used before a time, in nanoseconds since 1970."""
        return [name for name, use in self._free(now) if use.used_at < when]

    def _free(self, now: float) -> Iterator[tuple[str, _Use]]:
        for name, use in self._uses.items():
            if name not in self._held and use.awaited_until <= now:
                yield name, use
