from tinytracker.words import counted


def test_a_number_with_its_noun():
    assert [counted(n, "frame") for n in (0, 1, 2000)] == ["0 frames", "1 frame", "2,000 frames"]
    assert counted(2, "person", "people") == "2 people"
