"""No file goes back to a word that was replaced by a term of the field."""

from __future__ import annotations

from . import words


def test_no_old_word_comes_back() -> None:
    new = [
        f"{path} says {word.replace('_', ' ')!r}: write {words.TERMS[word.replace('_', ' ')]}"
        for word, path in (line.split(" ", 1) for line in sorted(words.uses() - words.listed()))
    ]
    assert not new, "\n" + "\n".join(new)


def test_a_file_that_became_clean_left_the_list() -> None:
    clean = sorted(words.listed() - words.uses())
    assert not clean, "run `python -m tests.tidy.words`: these are clean now\n" + "\n".join(clean)


def test_old_words_are_found_inside_names_and_across_lines() -> None:
    assert words.found_in("struct StandardRoom; fn wait_for_room()") == {"room"}
    assert words.found_in("/// what nobody\n    /// waits for") == {"what nobody waits for"}
    assert words.found_in("a mushroom in a doorway") == set()
