from tinytracker.words import counted, too_few


def test_a_number_with_its_noun():
    assert [counted(n, "frame") for n in (0, 1, 2000)] == ["0 frames", "1 frame", "2,000 frames"]
    assert counted(2, "person", "people") == "2 people"
    assert [too_few(n, "dot") for n in (1, 2)] == ["1 dot is too few", "2 dots are too few"]
