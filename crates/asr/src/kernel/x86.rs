//! Tiles for x86-64.

#![expect(
    unsafe_code,
    reason = "vector loads take pointers, and functions for some machines are called on them alone"
)]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::{
    __m256i, __m512i, _mm256_abs_epi8, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_sign_epi8, _mm256_storeu_si256,
    _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_storeu_si512,
    _mm512_xor_si512,
};

use super::driver::driver;
use super::{Group, Inputs, Into, LANES, Panels, Rows};

pub(super) fn has_avx512_vnni() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
}

pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
}

pub(super) fn avx512_vnni(rows: Rows<'_>, panels: Panels<'_>, out: &mut [f32], outputs: usize, into: Into) {
    assert!(has_avx512_vnni(), "chosen where it is there");
    // SAFETY: the machine has the instructions.
    unsafe { avx512_vnni_driver(rows, panels, out, outputs, into) }
}

pub(super) fn avx2(rows: Rows<'_>, panels: Panels<'_>, out: &mut [f32], outputs: usize, into: Into) {
    assert!(has_avx2(), "chosen where it is there");
    // SAFETY: the machine has the instructions.
    unsafe { avx2_driver(rows, panels, out, outputs, into) }
}

// 24 sums, 4 weights and an input of the 32 registers.
driver!(
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    avx512_vnni_driver, avx512_vnni_tile, rows: 6, panels: 4
);

// 8 sums, 2 weights, 2 inputs and the ones of the 16 registers.
driver!(
    #[target_feature(enable = "avx2")]
    avx2_driver, avx2_tile, rows: 4, panels: 1
);

/// The instruction multiplies unsigned by signed numbers: weights are moved up by 128, and 128 times the inputs' sum is
/// taken away beforehand. It adds four products of at most 255 · 127 to 32 bits, and does not saturate.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn avx512_vnni_tile<const R: usize, const P: usize>(
    rows: [&[Inputs]; R],
    sums: [i32; R],
    panels: [&[Group]; P],
    out: &mut [[[i32; LANES]; P]; R],
) {
    let n = panels[0].len();
    assert!(rows.iter().all(|row| row.len() == n) && panels.iter().all(|panel| panel.len() == n));
    let mut totals: [[__m512i; P]; R] = sums.map(|sum| [_mm512_set1_epi32(sum.wrapping_mul(-128)); P]);
    let sign = _mm512_set1_epi8(i8::MIN);
    for k in 0..n {
        // SAFETY: a group has 64 bytes, and `k` is below every panel's length.
        let weights = panels.map(|panel| unsafe {
            _mm512_xor_si512(_mm512_loadu_si512(panel.get_unchecked(k).as_ptr().cast()), sign)
        });
        for r in 0..R {
            // SAFETY: `k` is below every row's length.
            let inputs = _mm512_set1_epi32(i32::from_ne_bytes(unsafe { *rows[r].get_unchecked(k) }));
            for p in 0..P {
                totals[r][p] = _mm512_dpbusd_epi32(totals[r][p], weights[p], inputs);
            }
        }
    }
    for (lanes, total) in out.as_flattened_mut().iter_mut().zip(totals.as_flattened()) {
        // SAFETY: 16 integers of 32 bits have 64 bytes.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), *total) };
    }
}

/// The instruction multiplies unsigned by signed numbers and saturates at 16 bits: it is given the inputs without their
/// signs and the weights with them, of which no two products exceed 2 · 128 · 127.
#[target_feature(enable = "avx2")]
fn avx2_tile<const R: usize, const P: usize>(
    rows: [&[Inputs]; R],
    _sums: [i32; R],
    panels: [&[Group]; P],
    out: &mut [[[i32; LANES]; P]; R],
) {
    let n = panels[0].len();
    assert!(rows.iter().all(|row| row.len() == n) && panels.iter().all(|panel| panel.len() == n));
    let mut totals: [[[__m256i; 2]; P]; R] = [[[_mm256_setzero_si256(); 2]; P]; R];
    let ones = _mm256_set1_epi16(1);
    for k in 0..n {
        // SAFETY: a group has 64 bytes, and `k` is below every panel's length.
        let weights = panels.map(|panel| unsafe {
            let group = panel.get_unchecked(k).as_ptr();
            [_mm256_loadu_si256(group.cast()), _mm256_loadu_si256(group.add(32).cast())]
        });
        for r in 0..R {
            // SAFETY: `k` is below every row's length.
            let inputs = _mm256_set1_epi32(i32::from_ne_bytes(unsafe { *rows[r].get_unchecked(k) }));
            let sizes = _mm256_abs_epi8(inputs);
            for p in 0..P {
                for half in 0..2 {
                    let signed = _mm256_sign_epi8(weights[p][half], inputs);
                    let products = _mm256_madd_epi16(_mm256_maddubs_epi16(sizes, signed), ones);
                    totals[r][p][half] = _mm256_add_epi32(totals[r][p][half], products);
                }
            }
        }
    }
    for (lanes, halves) in out.as_flattened_mut().iter_mut().zip(totals.as_flattened()) {
        for (eight, total) in lanes.as_chunks_mut::<8>().0.iter_mut().zip(halves) {
            // SAFETY: 8 integers of 32 bits have 32 bytes.
            unsafe { _mm256_storeu_si256(eight.as_mut_ptr().cast(), *total) };
        }
    }
}
