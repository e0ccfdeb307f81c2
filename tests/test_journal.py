"""A journal: whole lines count, a torn one does not exist, a damaged one is told."""

from jaxdl import journal


def test_events_come_back_in_order(tmp_path):
    path, end = tmp_path / "j", journal.rewrite(tmp_path / "j", ["first"])
    for event in ({"block": 1}, [2.5, None], "µ\n"):
        end = journal.append(path, event, end)
    assert journal.read(path) == (["first", {"block": 1}, [2.5, None], "µ\n"], [], end)
    assert end == path.stat().st_size


def test_every_length_of_a_torn_line_is_overwritten(tmp_path):
    path, end = tmp_path / "j", journal.rewrite(tmp_path / "j", ["kept"])
    journal.append(path, "torn", end)
    whole = path.read_bytes()
    for size in range(end, len(whole)):
        path.write_bytes(whole[:size])
        assert journal.read(path) == (["kept"], [], end)
        assert journal.append(path, "torn", end) == len(whole)
        assert path.read_bytes() == whole


def test_every_flipped_byte_is_told(tmp_path):
    path = tmp_path / "j"
    ends = [journal.rewrite(path, list("abc")[:count]) for count in range(4)]
    whole = path.read_bytes()
    for position in range(ends[1], ends[2] - 1):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert journal.read(path) == (["a", "c"], [2], ends[3])
