"""No file goes back to a word that was replaced by a term of the field."""

from __future__ import annotations

from . import words


def test_no_old_word_comes_back() -> None:
    found = [f"{path} says {word!r}: write {words.TERMS[word]}" for word, path in words.uses()]
    assert not found, "\n" + "\n".join(sorted(found))


def test_old_words_are_found_inside_names_and_across_lines() -> None:
    assert words.found_in("struct StandardRoom; fn wait_for_room()") == {"room"}
    assert words.found_in("/// the pages settle\n    /// lazily") == {"settle lazily"}
    assert words.found_in("a mushroom in a doorway") == set()
