"""Chance against an implementation of its own, and against chance."""

from itertools import accumulate, pairwise
from math import floor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import chi2

from alignment_gym.engine.randomness import (
    SCALE,
    derived_seed,
    draw,
    episode_key,
    mix,
    mix_array,
    step_hashes,
    upper_bounds,
)

MIXED = [0x00000000, 0x688990C0, 0xD1132181, 0x6768824A, 0xF5E71C96]
DRAWN = [0xAE6F80F1, 0x23064794, 0xA07C7A97, 0x2419D658, 0xAA7F838D]
WORDS = st.integers(0, SCALE - 1)


def lowbias32(x: int) -> int:
    """Repeat the published C code: x ^= x >> 16; x *= 0x7feb352d; x ^= x >> 15; x *= 0x846ca68b; x ^= x >> 16."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        x = ((x ^ (x >> shift)) * factor) % 2**32
    return x


def unmixed(x: int) -> int:
    """Undo lowbias32: the inverse factors modulo 2**32, and each xor-shift undone by repeating it."""
    for shift, factor in ((16, 0x846CA68B), (15, 0x7FEB352D), (16, 1)):
        x ^= (x >> shift) ^ (x >> 2 * shift)
        x = x * pow(factor, -1, 2**32) % 2**32
    return x


def test_mix_gives_its_known_values():
    assert [mix(x) for x in (0, 1, 2, 0xFFFFFFFF, 0x12345678)] == MIXED


def test_draw_gives_its_known_values():
    assert [draw(key, step) for key, step in ((0, 0), (0, 1), (1, 0), (12345, 67), (0xFFFFFFFF, 9999))] == DRAWN


@given(WORDS)
def test_mix_is_the_published_hash(x):
    assert mix(x) == lowbias32(x)


@given(WORDS, st.integers(0, 10_000))
def test_draw_is_its_stated_formula(key, step):
    assert draw(key, step) == lowbias32(key ^ lowbias32((step + 0x9E3779B9) % 2**32))


@given(WORDS)
def test_mix_can_be_undone_so_that_all_keys_together_are_uniform(x):
    assert unmixed(mix(x)) == x


@given(st.lists(WORDS, min_size=1, max_size=20))
def test_arrays_are_mixed_like_numbers(words):
    assert mix_array(np.array(words, dtype=np.uint32)).tolist() == [mix(x) for x in words]


def test_step_hashes_are_the_part_of_a_draw_without_a_key():
    hashes = step_hashes(np.arange(21))
    assert len(hashes) == 21
    assert [mix(77 ^ each) for each in hashes.tolist()] == [draw(77, step) for step in range(21)]


def chi_square(draws: list[int], bins: int = 64) -> float:
    counts = np.bincount([each * bins // SCALE for each in draws], minlength=bins)
    expected = len(draws) / bins
    return float(((counts - expected) ** 2 / expected).sum())


@pytest.mark.parametrize(
    "draws",
    [
        pytest.param([draw(key, 1) for key in range(20_000)], id="neighbouring keys, one step"),
        pytest.param([draw(7, step) for step in range(20_000)], id="one key, all steps"),
        pytest.param([draw(key << 16, 5) for key in range(20_000)], id="keys that differ in high bits"),
        pytest.param([draw(key, 1) ^ draw(key, 2) for key in range(20_000)], id="two steps of a key"),
        pytest.param([draw(key, 3) ^ draw(key + 1, 3) for key in range(20_000)], id="one step of two keys"),
    ],
)
def test_draws_fill_their_range_evenly(draws):
    low, high = chi2.ppf([1e-4, 1 - 1e-4], 63)
    assert low < chi_square(draws) < high


def test_the_chi_square_notices_a_counter():
    assert chi_square(list(range(20_000))) > chi2.ppf(1 - 1e-4, 63)


@given(st.lists(st.lists(st.integers(1, 1000), min_size=1, max_size=8), min_size=1, max_size=30))
@example([[1] * 14, [3, 1]])  # summed on after fourteen rounded parts, three quarters fall short by 2**-53
def test_a_rows_bounds_depend_on_nothing_that_lies_before_it(rows):
    probabilities = [np.array(weights) / sum(weights) for weights in rows]
    offset = np.concatenate(([0], np.cumsum([len(row) for row in rows])))
    bounds = upper_bounds(np.concatenate(probabilities), offset).tolist()
    for row, (first, last) in zip(probabilities, pairwise(offset.tolist()), strict=True):
        expected = [floor(min(total, 1.0) * SCALE) for total in accumulate(row.tolist())]
        assert bounds[first:last] == [*expected[:-1], SCALE]


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.integers(1, 8))
def test_every_outcomes_share_of_the_draws_is_its_probability(weights, rows):
    probability = np.array(weights) / sum(weights)
    offset = np.arange(rows + 1) * len(weights)
    bounds = upper_bounds(np.tile(probability, rows), offset)
    for first, last in pairwise(offset.tolist()):
        row = bounds[first:last].astype(np.int64)
        assert row[-1] == SCALE
        shares = np.diff(row, prepend=0)
        assert (shares >= 0).all()
        np.testing.assert_allclose(shares / SCALE, probability, rtol=0, atol=1e-8)


def test_keys_are_32_bits_of_the_generator():
    rng = np.random.default_rng(0)
    keys = [episode_key(rng) for _ in range(200)]
    assert min(keys) >= 0
    assert 2**31 < max(keys) < 2**32
    assert len(set(keys)) == 200


def test_derived_seeds_are_31_bits_and_tell_words_apart():
    seeds = {derived_seed("run", seed, lane) for seed in range(30) for lane in range(30)}
    assert len(seeds) == 900
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert derived_seed("ab", "c") != derived_seed("a", "bc")
    assert derived_seed("run", 1) == derived_seed("run", 1)
