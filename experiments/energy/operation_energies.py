"""The energies of an NPU's operations by the rules of docs/model.md, "Energy values of shipped NPUs": assumptions, from
the 45 nm table of M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014."""

import math

ADD_PJ = {8: 0.03, 32: 0.1}  # by bits
MULTIPLY_PJ = {8: 0.2, 32: 3.1}
MEMORY_PJ = ((8192, 10), (32768, 20), (1048576, 100))  # (bytes, of 64 bits)
DRAM_PJ = 1300  # of 64 bits


def memory_pj(size):
    """Of 64 bits from a memory of `size` bytes: linear in logarithms between the table's memories and beyond them."""
    later = [i for i, (most, _) in enumerate(MEMORY_PJ) if size <= most]
    end = max(1, later[0] if later else len(MEMORY_PJ) - 1)
    (x0, y0), (x1, y1) = MEMORY_PJ[end - 1], MEMORY_PJ[end]
    return y0 * (y1 / y0) ** (math.log(size / x0) / math.log(x1 / x0))


def mac_pj(word_bits, accumulator_bits):
    power = math.log(MULTIPLY_PJ[32] / MULTIPLY_PJ[8]) / math.log(32 / 8)
    slope = (ADD_PJ[32] - ADD_PJ[8]) / (32 - 8)
    return MULTIPLY_PJ[8] * (word_bits / 8) ** power + ADD_PJ[8] + slope * (accumulator_bits - 8)


def of(npu, static_w):
    """The key `energy` of an NPU with these tiles and words."""
    word_bits, accumulator_bits = 8 * npu.word_bytes, 8 * npu.accumulator_bytes
    weights = max(npu.weight_buffer_words, 2 * npu.t_p * npu.t_c)
    outputs = (npu.output_tiles + 1) * npu.t_r * npu.t_c
    return {
        "mac_pj": mac_pj(word_bits, accumulator_bits),
        "input_buffer_pj_per_word": memory_pj(2 * npu.t_r * npu.t_p * npu.word_bytes) * word_bits / 64,
        "weight_buffer_pj_per_word": memory_pj(weights * npu.word_bytes) * word_bits / 64,
        "output_buffer_pj_per_word": memory_pj(outputs * npu.accumulator_bytes) * accumulator_bits / 64,
        "dram_pj_per_word": DRAM_PJ * word_bits / 64,
        "static_w": static_w,
    }
