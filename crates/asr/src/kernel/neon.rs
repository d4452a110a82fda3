//! Tiles for 64-bit ARM.

#![expect(unsafe_code, reason = "vector loads take pointers")]

use std::arch::aarch64::{
    int32x4_t, vdupq_n_s32, vget_low_s8, vld1q_s8, vmull_high_s8, vmull_s8, vpadalq_s16, vpaddq_s32,
    vreinterpretq_s8_s32, vst1q_s32,
};

use super::driver::driver;
use super::{Group, Inputs, Into, LANES, Panels, Rows};

/// Four rows of a group.
const QUARTERS: usize = 4;

pub(super) fn neon(rows: Rows<'_>, panels: Panels<'_>, out: &mut [f32], outputs: usize, into: Into) {
    neon_driver(rows, panels, out, outputs, into);
}

// 16 sums, a weight, 2 inputs and the products of the 32 registers.
driver!(neon_driver, neon_tile, rows: 2, panels: 1);

/// Products have 16 bits and are added to sums of 32 by pairs: two sums for each row of weights until the end.
fn neon_tile<const R: usize, const P: usize>(
    rows: [&[Inputs]; R],
    _sums: [i32; R],
    panels: [&[Group]; P],
    out: &mut [[[i32; LANES]; P]; R],
) {
    let n = panels[0].len();
    assert!(rows.iter().all(|row| row.len() == n) && panels.iter().all(|panel| panel.len() == n));
    // SAFETY: these instructions are part of every 64-bit ARM.
    let zero = unsafe { vdupq_n_s32(0) };
    let mut totals: [[[[int32x4_t; 2]; QUARTERS]; P]; R] = [[[[zero; 2]; QUARTERS]; P]; R];
    for k in 0..n {
        for r in 0..R {
            let inputs = i32::from_ne_bytes(rows[r][k]);
            for p in 0..P {
                let group = panels[p][k].as_ptr();
                for quarter in 0..QUARTERS {
                    let [low, high] = &mut totals[r][p][quarter];
                    // SAFETY: as above; a group has four times 16 bytes.
                    unsafe {
                        let inputs = vreinterpretq_s8_s32(vdupq_n_s32(inputs));
                        let weights = vld1q_s8(group.add(16 * quarter).cast());
                        *low = vpadalq_s16(*low, vmull_s8(vget_low_s8(weights), vget_low_s8(inputs)));
                        *high = vpadalq_s16(*high, vmull_high_s8(weights, inputs));
                    }
                }
            }
        }
    }
    for (lanes, quarters) in out.as_flattened_mut().iter_mut().zip(totals.as_flattened()) {
        for (four, [low, high]) in lanes.as_chunks_mut::<4>().0.iter_mut().zip(quarters) {
            // SAFETY: as above; 4 integers of 32 bits have 16 bytes.
            unsafe { vst1q_s32(four.as_mut_ptr(), vpaddq_s32(*low, *high)) };
        }
    }
}
