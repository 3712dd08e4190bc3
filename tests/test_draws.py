"""Draws by place: their law, and that they depend on their name and index only."""

import numpy as np
from scipy import stats

from evogen.draws import mixed, normal, uniform

MASK = 2**64 - 1


def splitmix64(seed, count):
    """The published generator, in Python's whole numbers."""
    found = []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        found.append(z ^ (z >> 31))
    return found


def test_the_words_of_a_stream_are_splitmix64():
    # the first output for seed 0 is published with the generator (xoshiro.di.unimi.it/splitmix64.c)
    assert splitmix64(0, 1) == [0xE220A8397B1DCDAF]
    for seed in (0, 1, 2**63 + 12345, MASK):
        assert mixed(np.uint64(seed), np.arange(50)).tolist() == splitmix64(seed, 50)


def test_normal_numbers_are_standard_normal():
    drawn = normal(mixed(mixed(7, np.arange(400))[:, None], np.arange(500)))
    count = drawn.size
    assert abs(drawn.mean()) <= 4 / np.sqrt(count)
    assert abs(drawn.var() - 1) <= 4 * np.sqrt(2 / count)
    assert abs(stats.skew(drawn.ravel())) <= 4 * np.sqrt(6 / count)
    assert abs(stats.kurtosis(drawn.ravel())) <= 4 * np.sqrt(24 / count)
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 1e-3
    for words in (0, MASK):
        assert np.isfinite(normal(np.array([words], dtype=np.uint64))).all()


def test_uniform_numbers_are_uniform_and_never_0_or_1():
    drawn = uniform(mixed(3, np.arange(100_000)))
    assert stats.kstest(drawn, "uniform").pvalue > 1e-3
    ends = uniform(np.array([0, MASK], dtype=np.uint64))
    assert 0 < ends[0] < ends[1] < 1


def test_streams_words_and_neighbours_are_independent():
    """Rows, columns and their neighbours do not correlate, nor do their squares: 4.5 standard errors each."""
    streams, words = 60, 4000
    drawn = normal(mixed(mixed(mixed(1, 5), np.arange(streams))[:, None], np.arange(words)))
    for each in (drawn, drawn**2):
        among = np.corrcoef(each)[np.triu_indices(streams, 1)]
        assert np.abs(among).max() <= 5 / np.sqrt(words)
        for moved in (np.roll(each, 1, 1), np.roll(each, 1, 0)):
            assert abs(np.corrcoef(each.ravel(), moved.ravel())[0, 1]) <= 4.5 / np.sqrt(each.size)
    bits = np.unpackbits(mixed(mixed(9, np.arange(200))[:, None], np.arange(200)).view(np.uint8))
    assert abs(bits.mean() - 0.5) <= 4.5 * 0.5 / np.sqrt(bits.size)


def test_a_draw_depends_on_its_name_and_index_only():
    genes, index = np.array([3, 10**12, 2**63]), np.arange(37)
    whole = normal(mixed(mixed(5, genes)[:, None], index))
    for row, gene in enumerate(genes):
        for column in (0, 17, 36):
            assert normal(mixed(mixed(5, np.uint64(gene)), column)).tolist() == [whole[row, column]]
    order = np.random.Generator(np.random.PCG64(0)).permutation(37)
    assert np.array_equal(normal(mixed(mixed(5, genes)[:, None], index[order])), whole[:, order])
    assert len(np.unique(whole)) == whole.size


def test_the_order_of_words_matters():
    assert mixed(mixed(1, 2), 3) != mixed(mixed(1, 3), 2)
    assert mixed(1, 2) != mixed(2, 1)
