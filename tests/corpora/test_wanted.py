from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phonoscope.core.errors import UsageError
from phonoscope.corpora import ava_videos, hdtf, voxceleb2
from phonoscope.corpora.wanted import Piece, Wanted, name_of, seconds, split_map, wanted_in, youtube

URL = "https://films.example/a/talk.mp4"


def test_any_columns_will_do(tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text("id,link,begin,end,who\nx,4Txd0r9yYzE,1:02.5,70,ana\ny,4Txd0r9yYzE,80,90,bo\n")
    mapped = split_map(["url=link", "name=id", "start=begin", "stop=end", "speaker=who"])
    (film,) = wanted_in(table, mapped)
    assert (film.url, film.name, film.speaker) == (youtube("4Txd0r9yYzE"), "4Txd0r9yYzE", "")
    assert film.pieces == (
        Piece(name="x", start_s=62.5, stop_s=70, speaker="ana"), Piece(name="y", start_s=80, stop_s=90, speaker="bo"),
    )  # fmt: skip


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    rows = [{"url": URL, "name": "a", "md5": "f" * 32}, {"url": URL + "?2", "name": "b", "md5": ""}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "list.parquet")
    (tmp_path / "list.csv").write_text("url,name,md5\n" + "\n".join(",".join(it.values()) for it in rows))
    assert wanted_in(tmp_path / "list.parquet", {}) == wanted_in(tmp_path / "list.csv", {})


def test_a_line_a_url(tmp_path: Path) -> None:
    (tmp_path / "urls.txt").write_text(f"# mine\n{URL}\n\nhttps://youtu.be/4Txd0r9yYzE\n{URL}\n")
    assert [it.name for it in wanted_in(tmp_path / "urls.txt", {})] == ["talk", "4Txd0r9yYzE"]


@pytest.mark.parametrize(
    ("content", "mapped", "said"),
    [
        ("link\nx\n", {}, "has no column 'url', only link; --map url=COLUMN says which one tells it"),
        (f"url\n{URL}\n", {"start": "begn"}, "no column 'begn', only url; --map start=COLUMN says which one tells it"),
        ("url\nftp://x\n", {}, "row 1: 'ftp://x' is no URL"),
        (f"url,start\n{URL},5\n", {}, "row 1: '5 to ' is no span"),
        (f"url,start,stop\n{URL},5,4\n", {}, "'5 to 4' is no span"),
        (f"url,name\n{URL},a\n{URL}?2,a\n", {}, "would both be called 'a'"),
        (f"url,name,start,stop\n{URL},a,1,2\n{URL},a,3,4\n", {}, "would both be called 'a': give them names"),
        (f"url\n{URL}\n", {"speed": "x"}, "no column 'speed' to map"),
    ],
)
def test_bad_lists_are_one_line(tmp_path: Path, content: str, mapped: dict[str, str], said: str) -> None:
    (tmp_path / "list.csv").write_text(content)
    with pytest.raises(UsageError) as told:
        wanted_in(tmp_path / "list.csv", mapped)
    assert said in str(told.value) and "\n" not in str(told.value)


def test_a_film_of_two_rows_has_what_either_tells(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(f"url,name,start,stop,licence\n{URL},a,1,2,\n{URL},whole,,,CC0\n{URL},b,3,4,\n")
    (film,) = wanted_in(tmp_path / "list.csv", {})
    assert (film.name, film.whole, film.licence) == ("whole", True, "CC0")
    assert [it.name for it in film.pieces] == ["a", "b"]


def test_a_film_is_never_called_as_a_piece_or_as_another_film_is(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(f"url,name,start,stop\n{URL},talk,1,2\n")
    (film,) = wanted_in(tmp_path / "list.csv", {})
    assert [it.name for it in film.pieces] == ["talk"] and film.name.startswith("talk-")
    other = URL.replace("/a/", "/b/")
    (tmp_path / "list.csv").write_text(f"url,start,stop\n{URL},1,2\n{other},3,4\n")
    assert len({it.name for it in wanted_in(tmp_path / "list.csv", {})}) == 2


def test_names_and_times() -> None:
    assert name_of("https://www.youtube.com/watch?v=uBWJJvynXpA&t=6s") == "uBWJJvynXpA"
    assert name_of("https://films.example/a%20b/c d.mp4") == "c_d"
    assert (seconds("1:01:02.5"), seconds("7")) == (3662.5, 7)


def _hdtf(folder: Path) -> Path:
    (folder / "RD_video_url.txt").write_text(
        "\ufeffRadio1 https://www.youtube.com/watch?v=CPCoMyuBRM0\nRadio2 https://x.example/2\n"
    )
    (folder / "RD_annotion_time.txt").write_text("Radio1.mp4 00:20-01:35 02:00-02:30\n")
    (folder / "RD_resolution.txt").write_text("Radio1.mp4 720\n")
    (folder / "RD_crop_wh.txt").write_text("Radio1_1.mp4 466 535 10 540\n")
    return folder


def test_hdtf_tells_spans_and_windows(tmp_path: Path) -> None:
    one, other = hdtf.wanted(_hdtf(tmp_path))
    assert one.pieces == (
        Piece(name="Radio1_0", start_s=20, stop_s=95),
        Piece(name="Radio1_1", start_s=120, stop_s=150, crop=(466, 10, 1001, 550), crop_height=720),
    )
    assert other == Wanted(url="https://x.example/2", name="Radio2")


def test_what_is_no_span_of_hdtf_is_said(tmp_path: Path) -> None:
    (_hdtf(tmp_path) / "RD_annotion_time.txt").write_text("Radio1.mp4 0020\n")
    with pytest.raises(UsageError, match=r"'RD_annotion_time.txt', Radio1: '0020' is no span"):
        hdtf.wanted(tmp_path)


def test_what_is_no_height_of_hdtf_is_said(tmp_path: Path) -> None:
    (_hdtf(tmp_path) / "RD_resolution.txt").write_text("Radio1.mp4 720p\n")
    with pytest.raises(UsageError, match=r"'RD_resolution.txt', Radio1: '720p' is no height"):
        hdtf.wanted(tmp_path)


@pytest.mark.real
def test_the_published_lists_of_hdtf_are_read(shared_data: Path) -> None:
    films = hdtf.wanted(shared_data / "c_annotations" / "hdtf")
    pieces = [it for film in films for it in film.pieces]
    assert (len(films), len(pieces), sum(it.crop is not None for it in pieces)) == (240, 261, 253)
    windows = {it.name: (*it.crop, it.crop_height) for it in pieces if it.crop}
    assert all(x1 - x0 == y1 - y0 for x0, y0, x1, y1, _ in windows.values())  # squares, as faces are cut
    beyond = {name for name, (_, _, _, y1, height) in windows.items() if y1 > height}
    assert beyond == {"MazieHirono1_0", "MaggieHassan_0"}  # whose height the lists tell wrongly


def test_voxceleb2_frames_are_spans(tmp_path: Path) -> None:
    path = tmp_path / "txt" / "id00012" / "21Uxsk56VDQ" / "00001.txt"
    path.parent.mkdir(parents=True)
    path.write_text(
        "Identity  : \tid00012\n\nFRAME \tX \tY \tW \tH\n000100\t0.2\t0.2\t0.4\t0.4\n000199\t0.2\t0.2\t0.4\t0.4\n"
    )
    (film,) = voxceleb2.wanted(tmp_path)
    assert (film.url, film.speaker) == (youtube("21Uxsk56VDQ"), "id00012")
    assert film.pieces == (Piece(name="id00012_21Uxsk56VDQ_00001", start_s=4.0, stop_s=8.0, speaker="id00012"),)


def test_ava_tells_sums_and_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text(f"file_name,md5\n-5KQ66BBWC4.mkv,{'a' * 32}\nabc.mp4,{'b' * 32}\n")
    films, unknown = ava_videos.wanted(tmp_path / "names.csv", {"-5KQ66BBWC4", "zzz"})
    assert unknown == ["zzz"]
    assert films == [Wanted(url=ava_videos.BUCKET + "-5KQ66BBWC4.mkv", name="-5KQ66BBWC4", md5="a" * 32)]
