//! The loops around a tile: which rows meet which panels, and what becomes of their sums.

use super::{Into, LANES};

/// Makes the function `$name` out of `$tile`, which has the sums of some rows with some panels. All is in one function,
/// so that all is compiled for the same instructions.
macro_rules! driver {
    ($(#[$attribute:meta])* $name:ident, $tile:ident, rows: $rows:literal, panels: $panels:literal) => {
        $(#[$attribute])*
        fn $name(
            rows: $crate::kernel::Rows<'_>,
            panels: $crate::kernel::Panels<'_>,
            out: &mut [f32],
            outputs: usize,
            into: $crate::kernel::Into,
        ) {
            use $crate::kernel::{finish, LANES};
            let n = rows.n_groups;
            let (n_rows, n_panels) = (rows.scales.len(), panels.groups.len() / n);
            let row = |i: usize| &rows.inputs[i * n..][..n];
            let panel = |i: usize| &panels.groups[i * n..][..n];
            let (scales, bias) = (panels.scales.as_chunks::<LANES>().0, panels.bias.as_chunks::<LANES>().0);
            // A block of panels stays in the nearest cache while all rows pass by.
            macro_rules! pass {
                ($r:literal, $p:literal, $first_row:expr, $first_panel:expr) => {{
                    let mut sums = [[[0_i32; LANES]; $p]; $r];
                    $tile::<$r, $p>(
                        std::array::from_fn(|i| row($first_row + i)),
                        std::array::from_fn(|i| rows.sums[$first_row + i]),
                        std::array::from_fn(|i| panel($first_panel + i)),
                        &mut sums,
                    );
                    for (i, sums) in sums.iter().enumerate() {
                        let at_row = $first_row + i;
                        let out = &mut out[at_row * outputs..][..outputs];
                        for (j, sums) in sums.iter().enumerate() {
                            let at_panel = $first_panel + j;
                            let out = &mut out[(at_panel * LANES).min(outputs)..];
                            finish(sums, rows.scales[at_row], &scales[at_panel], bias.get(at_panel), out, into);
                        }
                    }
                }};
            }
            let (row_step, panel_step): (usize, usize) = ($rows, $panels);
            let (whole_rows, whole_panels) = (n_rows / row_step * row_step, n_panels / panel_step * panel_step);
            for at_panel in (0..whole_panels).step_by(panel_step) {
                for at_row in (0..whole_rows).step_by(row_step) {
                    pass!($rows, $panels, at_row, at_panel);
                }
                for at_row in whole_rows..n_rows {
                    pass!(1, $panels, at_row, at_panel);
                }
            }
            for at_panel in whole_panels..n_panels {
                for at_row in 0..n_rows {
                    pass!(1, 1, at_row, at_panel);
                }
            }
        }
    };
}
pub(super) use driver;

/// Sums of integers to numbers, as many as `out` has room for. A product and then a sum, never both in one rounding: the
/// same bits everywhere.
#[inline(always)]
pub(super) fn finish(
    sums: &[i32; LANES],
    row_scale: f32,
    scales: &[f32; LANES],
    bias: Option<&[f32; LANES]>,
    out: &mut [f32],
    into: Into,
) {
    let mut values = [0.0_f32; LANES];
    for lane in 0..LANES {
        values[lane] = sums[lane] as f32 * (row_scale * scales[lane]);
    }
    if let Some(bias) = bias {
        for lane in 0..LANES {
            values[lane] += bias[lane];
        }
    }
    match (out.first_chunk_mut::<LANES>(), into) {
        (Some(out), Into::Replace) => *out = values,
        (Some(out), Into::Add) => {
            for lane in 0..LANES {
                out[lane] += values[lane];
            }
        }
        (None, Into::Replace) => out.iter_mut().zip(values).for_each(|(out, value)| *out = value),
        (None, Into::Add) => out.iter_mut().zip(values).for_each(|(out, value)| *out += value),
    }
}
