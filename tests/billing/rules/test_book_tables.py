"""What a book keeps when a practice loads tables into it."""

from billing.rules.book import shipped_book


def test_the_locality_stays_until_another_is_chosen() -> None:
    """Loading tables without naming a locality keeps the one that was chosen before."""
    book = shipped_book().with_tables((), "02")
    assert book.with_tables(()).fees.locality == "02"
    assert book.with_tables((), "01").fees.locality == "01"
