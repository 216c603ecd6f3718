"""`index.parquet`, however many rows it has."""

import pytest

from phonoscope.store import index
from phonoscope.store.index import NoIndex, read_columns, write_rows


def row(number: int) -> dict[str, object]:
    return {
        "id": f"film-{number:08x}", "source": f"file:///{number}.mp4", "sha256": f"{number:064x}", "bytes": number,
        "mtime_ns": 10**18 + number, "duration_s": number / 25, "fps": "25", "num_frames": number, "width": 64,
        "height": 48, "sample_rate": 0, "artifacts": ["clock", "recording"][: number % 3],
    }  # fmt: skip


@pytest.mark.parametrize("rows", [0, 1, 4, 5, 9])
def test_rows_come_back_in_order_however_they_were_grouped(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(index, "GROUP", 4)
    given = [row(number) for number in range(rows)]
    write_rows(tmp_path / "index.parquet", iter(given))
    columns = read_columns(tmp_path / "index.parquet")
    assert [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)] == given
    some = read_columns(tmp_path / "index.parquet", ("source", "id"))
    assert some == {name: columns[name] for name in ("source", "id")}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no index at all"])
def test_what_is_cut_off_or_not_ours_is_no_index(tmp_path, content):
    path = tmp_path / "index.parquet"
    with pytest.raises(NoIndex):
        read_columns(path)
    path.write_bytes(content)
    with pytest.raises(NoIndex):
        read_columns(path)


def test_a_table_of_other_columns_is_no_index(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "index.parquet")
    with pytest.raises(NoIndex, match="no index of a store"):
        read_columns(tmp_path / "index.parquet")
