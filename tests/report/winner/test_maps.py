import numpy as np

from evogen.report.facts import gather
from evogen.report.winner import maps as module
from evogen.report.winner.maps import maps

from ..searches import CONTROL


def test_large_maps_are_means_of_squares(monkeypatch):
    monkeypatch.setattr(module, "_PIXELS", 2)
    W = np.array([[1.0, 3.0, np.nan, np.nan], [5.0, 7.0, np.nan, 2.0]])
    found = module._pooled(W)
    assert found.tolist() == [[4.0, 2.0]]
    assert np.isnan(module._pooled(np.full((4, 4), np.nan))).all()


def test_each_map_has_a_cell_for_every_pair_and_lines_between_modules(search):
    portrait = gather(search(text=CONTROL)[0]).portrait
    drawn = [item for item in maps(portrait).iter("svg") if item.get("class") is None]
    links = sorted(portrait.links, key=lambda link: -int(link.mask.sum()))[: module.MAPS]
    for item, link in zip(drawn, sorted(links, key=lambda link: (link.post, link.pre)), strict=True):
        (image,) = item.iter("image")
        shape = np.array([float(image.get(name)) for name in ("height", "width")])
        assert np.allclose(shape / link.mean.shape, shape[0] / link.mean.shape[0], atol=0.01)
        borders = [
            len({portrait.levels[at][i].group for i in range(len(portrait.levels[at]))}) - 1
            for at in (link.pre, link.post)
        ]
        assert len(list(item.iter("path"))) == sum(borders)
