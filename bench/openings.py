"""What a model is given to go on from: questions to answer, first words of stories and of articles.

Whatever is made of a topic, a person or a place that is held out is held out with it.
"""

from __future__ import annotations

import hashlib
from itertools import product

TOPICS = """the moon, volcanoes, honey bees, the Roman Empire, photosynthesis, bicycles, coffee, the printing press, glaciers,
earthquakes, the human heart, antibiotics, chess, jazz, the Silk Road, whales, bread, steam engines, democracy, inflation,
the immune system, deserts, lighthouses, the periodic table, vaccines, the French Revolution, sleep, rice, coral reefs,
electric cars, the stock market, dinosaurs, rivers, wool, libraries, satellites, penguins, the alphabet, magnets, tea,
vitamins, railways, the water cycle, opera, migration of birds, the Olympic Games, gardens, bridges, lightning, stress,
the brain, solar panels, salt, clocks, forests, football, exercise, the internet, insects, cheese, maps, muscles, elephants,
the ocean, medieval castles, hurricanes, music theory, recycling, the planets, trade, fractions, poetry, genes, taxes, paint,
bacteria, ancient Egypt, soil, the calendar, ice cream, mountains, chemistry, wolves, newspapers, gravity, dogs, city planning,
the Industrial Revolution, wheat, sound, glass, friendship, sharks, memory, language, money, tomatoes, ships, oxygen"""

QUESTIONS = """What is the most important thing to know about {}?
Explain {} to a child of ten.
Write a short poem about {}.
List five facts about {}.
What are the advantages and disadvantages of {}?
I have to give a talk about {} tomorrow. How should I begin?
Can you recommend a book about {}, and say why?
Make a table with three columns about {}.
Who knows a good joke about {}?
Write an email to my teacher in which I ask for help with {}.
Summarize the history of {} in three sentences.
Why do people care so much about {}?
Is it true that {} will look different in a hundred years?
Give me step by step instructions for a project about {}.
Translate into French: I am interested in {}.
Write a dialogue between two friends who disagree about {}.
What questions would you ask an expert on {}?
Classify this sentence as positive or negative: "I could read about {} all day."
Write a Python function that prints a fact about {}.
Rewrite this so that it sounds polite: tell me about {} now."""

OPENINGS = """{} had never seen the sea before that morning
When {} opened the door, there was nobody there
"You should not have come," said {}, without looking up
It was raining in the city when {} got off the train
Nobody in the village believed {} about the light on the hill
The letter that {} found under the bed was older than the house
After the war, {} went back to the farm and
{} put the last of the apples into the basket and
"Tell me again how it happened," {} said, and
Every night at nine {} walked the dog down to the river
On the third day of the voyage {} woke before the others
{} laughed, but her brother did not, for"""

NAMES = "Anna, Tom, Mrs Hale, the captain, Miguel, Old Peter, Leila, Doctor Finch, Sarah, the king, Yusuf, Grandmother"

ARTICLES = """{} is one of the
The study of {} began
In this chapter we look at {}, and
Most of what we know about {} comes from
There are several kinds of {}:
People often ask how {} changed the world.
The future of {} depends on
A short history of {}:"""


def questions(*, held_out: bool = False) -> list[str]:
    """What somebody may ask, in an order without order."""
    return _filled(QUESTIONS, TOPICS, held_out)


def stories(*, held_out: bool = False) -> list[str]:
    """First words of stories."""
    return _filled(OPENINGS, NAMES, held_out)


def articles(*, held_out: bool = False) -> list[str]:
    """First words of articles."""
    return _filled(ARTICLES, TOPICS, held_out)


def is_held_out(name: str) -> bool:
    """Whether a document is one of the fifth that is held out, whatever else there is."""
    return hashlib.sha256(name.encode()).digest()[0] % 5 == 0


def _filled(forms: str, things: str, held_out: bool) -> list[str]:
    """Every form with every thing in its place."""
    chosen = [thing for thing in " ".join(things.split()).split(", ") if is_held_out(thing) == held_out]
    filled = [_capital(form.format(thing)) for form, thing in product(forms.splitlines(), chosen)]
    return sorted(filled, key=lambda text: hashlib.md5(text.encode()).digest())


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
