"""How much of a clip's other frames is used for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from unveil.errors import UsageError

# Frames that are solved together, and those that are known beyond them.
BLOCK, LOOK_AHEAD = 8, 16
# With fewer known beyond it, a block may be done before an occluder in it is found: each frame is
# then solved by itself, and what so many before it took for a face is taken back.
FAR, UNDONE = 5, 16
MOST_AHEAD = 250  # each is held in memory


@dataclass(frozen=True)
class Steadiness:
    """What of the other frames is used for a frame.

    Attributes:
        live: only those before it; each frame is given back at once.
        remember: what was really seen in them is put into the hidden part; if not, only what was
            invented is carried on, at a higher cost.
        look_ahead: so many of those after it, if not live.
    """

    live: bool = False
    remember: bool = True
    look_ahead: int = LOOK_AHEAD

    def __post_init__(self) -> None:
        whole = isinstance(self.look_ahead, Integral)
        if not whole or not 0 <= self.look_ahead <= MOST_AHEAD:
            raise UsageError(
                f"look_ahead must be 0 to {MOST_AHEAD} frames (got {self.look_ahead!r})"
            )

    @property
    def window(self) -> int:
        """Frames that wait at most before they are restored."""
        return 1 if self.live else self.block + self.look_ahead

    @property
    def block(self) -> int:
        """Frames restored together."""
        return 1 if self.live or self.look_ahead < FAR else BLOCK

    @property
    def undone(self) -> int:
        """Frames done whose remembered pixels may be taken back."""
        return UNDONE if self.block == 1 and self.remember else 0
