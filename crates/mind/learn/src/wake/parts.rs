//! What may be learned from and what must judge: all recordings are cut into ten parts, two a fold.
//!
//! One voice lies in one part as far as it is known. A fold is judged by weights that met neither of its two parts,
//! under thresholds that were set on an *inner* part, half of the next fold, which those weights did not meet either.

/// Folds: each is judged once.
pub const FOLDS: u8 = 5;
/// Parts: two a fold.
pub const PARTS: u8 = 10;

/// A set of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts(u16);

impl Parts {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// That one.
    #[must_use]
    pub const fn of(part: u8) -> Self {
        Self(1 << (part % PARTS))
    }

    /// Either of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether some part is in both.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The parts that judge `fold`.
    #[must_use]
    pub const fn judging(fold: u8) -> Self {
        Self::of(2 * fold).and(Self::of(2 * fold + 1))
    }

    /// The part that thresholds are set on where `fold` is judged.
    #[must_use]
    pub const fn inner(fold: u8) -> Self {
        Self::of(inner_part(fold))
    }

    /// All that the weights which judge `fold` must not have met.
    #[must_use]
    pub const fn held_out(fold: u8) -> Self {
        Self::judging(fold).and(Self::inner(fold))
    }
}

/// The part of [`Parts::inner`].
#[must_use]
pub const fn inner_part(fold: u8) -> u8 {
    2 * ((fold + 1) % FOLDS)
}

/// The fold that `part` belongs to.
#[must_use]
pub const fn fold_of(part: u8) -> u8 {
    part / 2
}

/// The part of what stands at `index` of `len`, in an order in which neighbours belong together.
#[must_use]
pub fn part_of(index: usize, len: usize) -> u8 {
    u8::try_from(index * usize::from(PARTS) / len.max(1)).unwrap_or(0).min(PARTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_from_neither_judges_nor_sets_thresholds() {
        for fold in 0..FOLDS {
            assert!(!Parts::judging(fold).meets(Parts::inner(fold)));
            let learned = (0..PARTS).filter(|part| !Parts::of(*part).meets(Parts::held_out(fold))).count();
            assert_eq!(learned, 7);
        }
    }

    #[test]
    fn every_part_judges_once() {
        for part in 0..PARTS {
            let folds: Vec<u8> = (0..FOLDS).filter(|fold| Parts::of(part).meets(Parts::judging(*fold))).collect();
            assert_eq!(folds, [fold_of(part)]);
        }
        assert_eq!((part_of(0, 110), part_of(109, 110), part_of(55, 110)), (0, 9, 5));
    }
}
