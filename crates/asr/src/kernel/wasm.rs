//! Tiles for WebAssembly with vectors, which every browser has had since 2023. A module cannot ask: an older browser
//! refuses it whole.

#![expect(unsafe_code, reason = "vector loads take pointers")]

use std::arch::wasm32::{
    i16x8_extmul_high_i8x16, i16x8_extmul_low_i8x16, i32x4_add, i32x4_extadd_pairwise_i16x8, i32x4_shuffle,
    i32x4_splat, v128, v128_load, v128_store,
};

use super::driver::driver;
use super::{Group, Inputs, Into, LANES, Panels, Rows};

/// Four rows of a group.
const QUARTERS: usize = 4;

pub(super) fn simd128(rows: Rows<'_>, panels: Panels<'_>, out: &mut [f32], outputs: usize, into: Into) {
    simd128_driver(rows, panels, out, outputs, into);
}

driver!(
    #[target_feature(enable = "simd128")]
    simd128_driver, simd128_tile, rows: 2, panels: 1
);

/// Products have 16 bits and are added to sums of 32 by pairs: two sums for each row of weights until the end.
#[target_feature(enable = "simd128")]
fn simd128_tile<const R: usize, const P: usize>(
    rows: [&[Inputs]; R],
    _sums: [i32; R],
    panels: [&[Group]; P],
    out: &mut [[[i32; LANES]; P]; R],
) {
    let n = panels[0].len();
    assert!(rows.iter().all(|row| row.len() == n) && panels.iter().all(|panel| panel.len() == n));
    let mut totals: [[[[v128; 2]; QUARTERS]; P]; R] = [[[[i32x4_splat(0); 2]; QUARTERS]; P]; R];
    for k in 0..n {
        for r in 0..R {
            let inputs = i32x4_splat(i32::from_le_bytes(rows[r][k]));
            for p in 0..P {
                let group = panels[p][k].as_ptr();
                for quarter in 0..QUARTERS {
                    // SAFETY: a group has four times 16 bytes.
                    let weights = unsafe { v128_load(group.add(16 * quarter).cast()) };
                    let [low, high] = &mut totals[r][p][quarter];
                    let products = i16x8_extmul_low_i8x16(weights, inputs);
                    *low = i32x4_add(*low, i32x4_extadd_pairwise_i16x8(products));
                    let products = i16x8_extmul_high_i8x16(weights, inputs);
                    *high = i32x4_add(*high, i32x4_extadd_pairwise_i16x8(products));
                }
            }
        }
    }
    for (lanes, quarters) in out.as_flattened_mut().iter_mut().zip(totals.as_flattened()) {
        for (four, [low, high]) in lanes.as_chunks_mut::<4>().0.iter_mut().zip(quarters) {
            let (even, odd) = (i32x4_shuffle::<0, 2, 4, 6>(*low, *high), i32x4_shuffle::<1, 3, 5, 7>(*low, *high));
            // SAFETY: 4 integers of 32 bits have 16 bytes.
            unsafe { v128_store(four.as_mut_ptr().cast(), i32x4_add(even, odd)) };
        }
    }
}
