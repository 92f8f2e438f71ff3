"""Content encodings: whole streams come back, everything else is refused."""

import contextlib
import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tasks.documents import Reason
from tasks.fetch.decoding import DecodingError, decode_body, gunzip

ENCODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstandard.compress}
MIB = 1024 * 1024


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


def reason_of(payload: bytes, encoding: str, max_bytes: int = MIB) -> Reason:
    with pytest.raises(DecodingError) as caught:
        decode_body(payload, encoding, max_bytes)
    return caught.value.reason


@given(st.sampled_from(sorted(ENCODERS)), st.binary(max_size=3000))
def test_a_whole_stream_comes_back(encoding, body):
    assert decode_body(ENCODERS[encoding](body), encoding, MIB) == body


@given(st.sampled_from(sorted(ENCODERS)), st.binary(min_size=1, max_size=300), st.data())
def test_a_cut_stream_is_incomplete(encoding, body, data):
    payload = ENCODERS[encoding](body)
    cut = data.draw(st.integers(1, len(payload) - 1))
    assert reason_of(payload[:cut], encoding) is Reason.INCOMPLETE


@given(st.sampled_from(sorted(ENCODERS)), st.binary(max_size=300))
def test_garbage_raises_nothing_else(encoding, payload):
    with contextlib.suppress(DecodingError):
        assert len(decode_body(payload, encoding, MIB)) <= MIB


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_body_at_its_bound_passes_and_one_beyond_does_not(encoding):
    body = bytes(range(256)) * 8
    assert decode_body(ENCODERS[encoding](body), encoding, len(body)) == body
    assert reason_of(ENCODERS[encoding](body), encoding, len(body) - 1) is Reason.TOO_LARGE


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_ratio_of_more_than_200_is_a_bomb(encoding):
    assert reason_of(ENCODERS[encoding](bytes(20 * MIB)), encoding, 100 * MIB) is Reason.TOO_LARGE


def test_a_small_page_may_compress_as_well_as_it_likes():
    body = b"<td>" * 100_000
    assert decode_body(gzip.compress(body), "gzip", MIB) == body


def test_deflate_comes_in_two_dialects():
    assert decode_body(raw_deflate(b"The dam holds."), "deflate", MIB) == b"The dam holds."


def test_members_and_frames_follow_each_other():
    assert decode_body(gzip.compress(b"a") + gzip.compress(b"b") + bytes(9), "gzip", MIB) == b"ab"
    assert decode_body(zstandard.compress(b"a") + zstandard.compress(b"b"), "zstd", MIB) == b"ab"


def test_a_wrong_checksum_is_damage_on_the_way():
    payload = bytearray(gzip.compress(b"The dam holds."))
    payload[-6] ^= 0xFF
    assert reason_of(bytes(payload), "gzip") is Reason.INCOMPLETE


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,br", "x-unheard-of", "aes128gcm"])
def test_what_cannot_be_undone_is_refused(encoding):
    assert reason_of(gzip.compress(b"a"), encoding) is Reason.BAD_CONTENT_ENCODING


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_no_encoding_leaves_the_body_alone(encoding):
    assert decode_body(b"The dam holds.", encoding, MIB) == b"The dam holds."


def test_gunzip_gives_what_precedes_the_damage():
    whole = gzip.compress(b"".join(str(number).encode() for number in range(200_000)))
    found = bytearray()
    pieces = gunzip(whole[: len(whole) // 2], 10 * MIB)
    with pytest.raises(DecodingError):
        list(map(found.extend, pieces))
    assert found.startswith(b"012345")
