"""What messages say of containers is so."""

import pytest

from unveil.video.containers import holders


@pytest.mark.parametrize(
    ("codecs", "named"),
    [
        (["pcm_alaw"], ".mov and .avi"),
        (["wmav2"], ".avi"),
        (["subrip", "hdmv_pgs_subtitle"], ".mkv"),
        (["mov_text"], ".mkv"),  # it is converted
        (["xsub"], ""),
        (["subrip", "xsub"], ""),
        (["unknown"], ""),
    ],
)
def test_who_holds_a_codec(codecs, named):
    assert holders(*codecs) == named
