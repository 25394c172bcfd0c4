from dataclasses import asdict

import pytest

from ui.theme.tokens import DARK, LIGHT, SHAPE_PAIRS, TEXT_PAIRS, contrast


def test_contrast_of_black_on_white_is_twenty_one():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", TEXT_PAIRS, ids=" on ".join)
def test_every_text_can_be_read(tokens, pair):
    colours = asdict(tokens)
    assert contrast(colours[pair[0]], colours[pair[1]]) >= 4.5


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", SHAPE_PAIRS, ids=" on ".join)
def test_every_shape_can_be_seen(tokens, pair):
    colours = asdict(tokens)
    assert contrast(colours[pair[0]], colours[pair[1]]) >= 3.0


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_nothing_is_green(tokens):
    for name, colour in asdict(tokens).items():
        if name == "name":
            continue
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        assert green <= max(red, blue) + 8, name
