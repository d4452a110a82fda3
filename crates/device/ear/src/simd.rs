//! Runs number crunching under the machine's best vector instructions.
//!
//! The kernels are plain loops over arrays of a fixed size, which the compiler turns into vectors. What it may use is
//! chosen once a call, at run time: AVX2 or AVX-512 with fused multiply-add on x86-64, NEON on ARM, whatever the build
//! was told on WebAssembly, and the oldest x86-64 otherwise.

use pulp::{Arch, Simd, WithSimd};

/// Something to compute. `run` and everything it calls must be `#[inline(always)]`: what is not inlined is compiled for
/// the oldest machine.
pub(crate) trait Work {
    /// What comes out.
    type Output;
    /// Computes it. `FMA` says whether the machine multiplies and adds in one instruction.
    fn run<const FMA: bool>(self) -> Self::Output;
}

/// Runs `work` compiled for this machine.
pub(crate) fn run<W: Work>(work: W) -> W::Output {
    Arch::new().dispatch(Dispatched(work))
}

struct Dispatched<W>(W);

impl<W: Work> WithSimd for Dispatched<W> {
    type Output = W::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> W::Output {
        // Eight lanes are AVX2, which pulp takes only together with FMA; ARM always has it.
        if S::F32_LANES >= 8 || cfg!(target_arch = "aarch64") { self.0.run::<true>() } else { self.0.run::<false>() }
    }
}

/// `a * b + c`. Without the instruction, `mul_add` would be a call into a library.
#[inline(always)]
pub(crate) fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// The larger of two; `b` where `a` is no number. One instruction, which `f32::max` is not.
#[inline(always)]
pub(crate) const fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}
