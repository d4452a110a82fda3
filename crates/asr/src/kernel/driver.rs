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
            // A block of panels stays in the nearest cache while all rows pass by.
            macro_rules! pass {
                ($r:literal, $p:literal, $first_row:expr, $first_panel:expr) => {{
                    let sums = $tile::<$r, $p>(
                        std::array::from_fn(|i| row($first_row + i)),
                        std::array::from_fn(|i| rows.sums[$first_row + i]),
                        std::array::from_fn(|i| panel($first_panel + i)),
                    );
                    for (i, sums) in sums.iter().enumerate() {
                        let at_row = $first_row + i;
                        let out = &mut out[at_row * outputs..][..outputs];
                        for (j, sums) in sums.iter().enumerate() {
                            let at = ($first_panel + j) * LANES;
                            let bias = panels.bias.get(at..at + LANES);
                            let scales = &panels.scales[at..at + LANES];
                            let kept = outputs.saturating_sub(at).min(LANES);
                            finish(sums, rows.scales[at_row], scales, bias, &mut out[outputs - outputs.saturating_sub(at)..][..kept], into);
                        }
                    }
                }};
            }
            let mut at_panel = 0;
            while at_panel + $panels <= n_panels {
                let mut at_row = 0;
                while at_row + $rows <= n_rows {
                    pass!($rows, $panels, at_row, at_panel);
                    at_row += $rows;
                }
                while at_row < n_rows {
                    pass!(1, $panels, at_row, at_panel);
                    at_row += 1;
                }
                at_panel += $panels;
            }
            while at_panel < n_panels {
                for at_row in 0..n_rows {
                    pass!(1, 1, at_row, at_panel);
                }
                at_panel += 1;
            }
        }
    };
}
pub(super) use driver;

/// Sums of integers to numbers. A product and then a sum, never both in one rounding: the same bits everywhere.
#[inline(always)]
pub(super) fn finish(
    sums: &[i32; LANES],
    row_scale: f32,
    scales: &[f32],
    bias: Option<&[f32]>,
    out: &mut [f32],
    into: Into,
) {
    let mut values = [0.0_f32; LANES];
    for ((value, sum), scale) in values.iter_mut().zip(sums).zip(scales) {
        *value = *sum as f32 * (row_scale * scale);
    }
    if let Some(bias) = bias {
        values.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
    }
    match into {
        Into::Replace => out.copy_from_slice(&values[..out.len()]),
        Into::Add => out.iter_mut().zip(&values).for_each(|(out, value)| *out += value),
    }
}
