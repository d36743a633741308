"""How fitted lenses are kept and found, whoever wrote them."""
