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
        self._unwanted: set[str] = set()

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
        self._unwanted.discard(name)
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

    def want_no_more(self, name: str, now: float) -> bool:
        """Let a picture go before all others, as soon as it may.

        Args:
            name: A picture that is there, or not.
            now: Reading of the monotonic clock.

        Returns:
            Whether it may go now; else `surplus` chooses it once it may, whatever the bound.
        """
        is_used = name in self._uses and not self._may_go(name, now)
        if is_used:
            self._unwanted.add(name)
        return not is_used

    def want(self, name: str) -> None:
        """Undo `want_no_more`."""
        self._unwanted.discard(name)

    def surplus(self, size: int, now: float, stuck: Collection[str] = ()) -> list[str]:
        """Choose what goes so that a new picture fits below the bound, and what is unwanted.

        Args:
            size: Bytes of the new picture.
            now: Reading of the monotonic clock.
            stuck: Names that could not be removed.

        Returns:
            Names, least recently used first; all that may go if even that is not enough.
        """
        chosen = [name for name in self._unwanted - set(stuck) if self._may_go(name, now)]
        going = sum(self._uses[name].size for name in chosen)
        excess = self.bytes + size - self._max_bytes - going
        for name, use in self._free(now) if excess > 0 else ():
            if name not in stuck and name not in self._unwanted:
                chosen.append(name)
                excess -= use.size
            if excess <= 0:
                break
        return chosen

    def unused_since(self, when: int, now: float) -> list[str]:
        """Name the pictures last used before a time, in nanoseconds since 1970, or unwanted."""
        unwanted = self._unwanted
        return [name for name, use in self._free(now) if use.used_at < when or name in unwanted]

    def _free(self, now: float) -> Iterator[tuple[str, _Use]]:
        return ((name, use) for name, use in self._uses.items() if self._may_go(name, now))

    def _may_go(self, name: str, now: float) -> bool:
        use = self._uses.get(name)
        return use is not None and name not in self._held and use.awaited_until <= now
