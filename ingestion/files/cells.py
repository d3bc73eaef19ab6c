"""What a cell of a file says: as a word, as a number, and whether it fulfils what a mapping asks of it.

Belongs here: comparing cells, and the tests that stand in a mapping. Making a contract's value of a cell is ``values.py``'s,
which cell of which row ``rows.py``'s.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from ingestion.files.mapping import Condition, FieldMapping
from ingestion.files.readers import Cell

Cells = Mapping[str, Cell]


def word_of(cell: Cell) -> str:
    """A cell as people write it: JSON's true as ``true``, a text without the blanks around it."""
    return str(cell).lower() if isinstance(cell, bool) else str(cell).strip()


def compared(cell: Cell) -> str:
    """A cell as it is compared: composed and decomposed letters are the same. What is kept stays as written."""
    word = word_of(cell)
    return word if word.isascii() else unicodedata.normalize("NFC", word)


def number_of(cell: Cell) -> Decimal | None:
    """A plain number with a point; None for anything else."""
    try:
        number = Decimal(word_of(cell))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def null_test(field: FieldMapping) -> Callable[[Cell], bool]:
    """Whether a cell stands for no value in this field: by its words or by its pattern."""
    words = frozenset(field.nulls or ())
    pattern = re.compile(field.nulls_matching) if field.nulls_matching is not None else None

    def is_null(cell: Cell) -> bool:
        if not isinstance(cell, str):
            return False
        word = cell.strip()
        return word in words or (pattern is not None and pattern.search(word) is not None)

    return is_null


def condition_test(condition: Condition, cell_of: Callable[[Cells, str], Cell]) -> Callable[[Cells], bool]:
    """Whether a row's cells fulfil a condition; ``cell_of`` gives the cell of a column, None where it stands for no value."""
    matches = re.compile(condition.matches) if condition.matches is not None else None
    matches_not = re.compile(condition.matches_not) if condition.matches_not is not None else None

    one_of = None if condition.one_of is None else {compared(each) for each in condition.one_of}
    none_of = {compared(each) for each in condition.none_of or ()}

    def test(cells: Cells) -> bool:
        cell = cell_of(cells, condition.column)
        if condition.present is not None and (cell is not None) != condition.present:
            return False
        word = None if cell is None else compared(cell)
        if condition.equals is not None and word != compared(condition.equals):
            return False
        if one_of is not None and word not in one_of:
            return False
        if word in none_of:
            return False
        if matches is not None and not (word is not None and matches.search(word)):
            return False
        return not (matches_not is not None and word is not None and matches_not.search(word))

    return test
