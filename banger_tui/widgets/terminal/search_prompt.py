"""The line in which the text to search for is typed."""

from __future__ import annotations

from enum import Enum

MAX_CHARS = 200


class Answer(Enum):
    """What a key in the prompt leads to."""

    EDITED = "edited"
    FIND = "find"
    LEAVE = "leave"


class SearchPrompt:
    """The text typed so far; `earlier` comes back with the up key."""

    def __init__(self, earlier: str = "") -> None:
        self.text = ""
        self._earlier = earlier

    @property
    def status(self) -> str:
        """What the border says meanwhile."""
        return f"/{self.text}▏ enter finds  escape ends"

    def insert(self, text: str) -> None:
        """Add typed or pasted text; of several lines the first."""
        line = text.lstrip("\r\n").splitlines()[:1]
        added = "".join(c for c in "".join(line) if c.isprintable())
        self.text = (self.text + added)[:MAX_CHARS]

    def press(self, key: str, character: str | None) -> Answer:
        """Take a key of Textual's naming."""
        match key:
            case "enter":
                return Answer.FIND if self.text else Answer.LEAVE
            case "escape" | "ctrl+c":
                return Answer.LEAVE
            case "backspace" | "ctrl+h":
                if not self.text:
                    return Answer.LEAVE
                self.text = self.text[:-1]
            case "ctrl+u":
                self.text = ""
            case "ctrl+w":
                self.text = self.text.rstrip().rpartition(" ")[0]
            case "up":
                self.text = self._earlier
            case _ if character and character.isprintable():
                self.insert(character)
        return Answer.EDITED
