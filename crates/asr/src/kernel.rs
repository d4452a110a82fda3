//! Products of 8-bit integers, summed exactly in 32 bits: what nearly all of a model's work is.
//!
//! A matrix of weights lies in *panels* of [`LANES`] rows. Within a panel, [`DEPTH`] inputs of each of its rows lie side
//! by side (one *group*, a cache line), group after group: a vector unit reads a group and has one sum a row, without
//! ever adding across lanes. Rows and inputs beyond the matrix are zeros. The layout is the file's, and the same on
//! every machine.
//!
//! The machine's best instructions are chosen at run time. Sums of integers are exact whatever their order, hence every
//! way gives the same bits, and tests hold each of them to the scalar one.

mod driver;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "wasm32")]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

use driver::{driver, finish};

/// Rows of weights in a panel.
pub(crate) const LANES: usize = 16;

/// Inputs that lie side by side in a group.
pub(crate) const DEPTH: usize = 4;

/// [`DEPTH`] weights of each of [`LANES`] rows, row after row.
pub(crate) type Group = [u8; LANES * DEPTH];

/// [`DEPTH`] inputs.
pub(crate) type Inputs = [u8; DEPTH];

/// Rows of numbers as 8-bit integers, each with the scale that it was divided by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    /// Signed integers from −127 to 127, `n_groups` inputs after inputs for each row.
    pub(crate) inputs: &'a [Inputs],
    /// Inputs to a row; one at least.
    pub(crate) n_groups: usize,
    /// One scale for each row.
    pub(crate) scales: &'a [f32],
    /// The sum of each row's integers.
    pub(crate) sums: &'a [i32],
}

/// A matrix of weights, or some panels of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panels<'a> {
    /// Signed integers from −127 to 127, `n_groups` to a panel.
    pub(crate) groups: &'a [Group],
    /// Groups to a panel; one at least.
    pub(crate) n_groups: usize,
    /// [`LANES`] scales for each panel.
    pub(crate) scales: &'a [f32],
    /// [`LANES`] numbers to add for each panel; empty for none.
    pub(crate) bias: &'a [f32],
}

/// What happens to the numbers that stand where the product goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Into {
    /// They are overwritten.
    Replace,
    /// The product is added to them.
    Add,
}

/// A kind of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// None: what the others are held to.
    Scalar,
    /// 512-bit vectors with an instruction for sums of four products.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 128-bit vectors, which every 64-bit ARM has.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// 128-bit vectors in a browser.
    #[cfg(target_arch = "wasm32")]
    Simd128,
}

impl Level {
    /// The best that this machine has.
    pub(crate) fn best() -> Self {
        Self::all().next().unwrap_or(Self::Scalar)
    }

    /// All that this machine has, the best first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let levels = [
            #[cfg(target_arch = "x86_64")]
            x86::has_avx512_vnni().then_some(Self::Avx512Vnni),
            #[cfg(target_arch = "x86_64")]
            x86::has_avx2().then_some(Self::Avx2),
            #[cfg(target_arch = "aarch64")]
            Some(Self::Neon),
            #[cfg(target_arch = "wasm32")]
            Some(Self::Simd128),
            Some(Self::Scalar),
        ];
        levels.into_iter().flatten()
    }

    /// Writes the product of `rows` with `panels` into `out`, in which a row begins every `outputs` numbers, of which
    /// as many are written as there are rows in the panels, or `outputs` if those are fewer.
    ///
    /// # Panics
    ///
    /// Where the sizes do not fit: they come from the model's, which were checked when it was loaded.
    pub(crate) fn product(self, rows: Rows<'_>, panels: Panels<'_>, out: &mut [f32], outputs: usize, into: Into) {
        let n_rows = rows.scales.len();
        assert_eq!(rows.n_groups, panels.n_groups, "a row is as long as a panel is deep");
        assert_eq!(rows.inputs.len(), n_rows * rows.n_groups, "every row is whole");
        assert!(out.len() == n_rows * outputs && rows.sums.len() == n_rows, "there is room for every row");
        let n_panels = panels.groups.len() / panels.n_groups;
        assert!(
            panels.scales.len() == n_panels * LANES
                && (panels.bias.is_empty() || panels.bias.len() == n_panels * LANES),
            "every panel has its scales"
        );
        match self {
            Self::Scalar => scalar(rows, panels, out, outputs, into),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => x86::avx512_vnni(rows, panels, out, outputs, into),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::avx2(rows, panels, out, outputs, into),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => neon::neon(rows, panels, out, outputs, into),
            #[cfg(target_arch = "wasm32")]
            Self::Simd128 => wasm::simd128(rows, panels, out, outputs, into),
        }
    }
}

driver!(scalar, scalar_tile, rows: 1, panels: 1);

/// The sums of `R` rows with `P` panels.
fn scalar_tile<const R: usize, const P: usize>(
    rows: [&[Inputs]; R],
    _sums: [i32; R],
    panels: [&[Group]; P],
    out: &mut [[[i32; LANES]; P]; R],
) {
    for (row, out) in rows.iter().zip(out) {
        for (panel, out) in panels.iter().zip(out) {
            *out = scalar_sums(row, panel);
        }
    }
}

fn scalar_sums(row: &[Inputs], panel: &[Group]) -> [i32; LANES] {
    let mut sums = [0_i32; LANES];
    for (inputs, group) in row.iter().zip(panel) {
        for (sum, weights) in sums.iter_mut().zip(group.as_chunks::<DEPTH>().0) {
            for (input, weight) in inputs.iter().zip(weights) {
                let product = i32::from(input.cast_signed()).wrapping_mul(i32::from(weight.cast_signed()));
                *sum = sum.wrapping_add(product);
            }
        }
    }
    sums
}
