
def read(text, kind):
    """The numbers of a text; `2*5` is a 2 five times."""
    if "*" not in text:
        return list(map(kind, text.split()))
    found = []
    for word in text.split():
        number, _, count = word.partition("*")
        found += [kind(number)] * int(count or 1)
    return found


def ints(text):
    return read(text, int)


def floats(text):
    return read(text, float)


