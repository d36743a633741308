"""What the lessons say, held by what they compute. A file `NN_name.py` runs in the kernel of the lesson of that name, after it:

    says("` Paris` takes over at `{}`", leads)
    says("from nothing to {:.0%}", share(grid, " Paris", "L29"))

fills in what was computed, and the phrase must stand in the lesson: in its Markdown cells, in the texts of its questions,
in its page of the course or in its exercises. Every number of the lesson must stand in such a phrase, or be one of the few
kinds that `prose.py` lists. `looking.py` has what they look up most.
"""
