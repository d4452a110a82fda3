//! Landlock: the files, addresses and processes that system calls reach.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, RestrictionStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, make_bitflags, path_beneath_rules,
};

use super::Reach;

/// The Landlock version whose rights are handled: files, devices, TCP, signals and abstract sockets (Linux 6.12).
const LANDLOCK: ABI = ABI::V6;

/// What is handled beyond where the kernel can: sockets that have a name in the file system (Linux 7.1).
const NAMED_SOCKETS: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ ResolveUnix });

/// What nobody may make or do, also where it may write.
const NEVER: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{ MakeChar | MakeBlock | MakeSock | MakeFifo | MakeSym | Execute | IoctlDev });

/// Walls the process off; what remains open, in words.
pub(super) fn restrict(reach: &Reach) -> Vec<String> {
    match wall_off(reach) {
        Ok(status) => gaps(version(&status), reach.has_local_sockets, can_open(reach)),
        Err(error) => vec![format!("Landlock failed ({error}); {}", without(can_open(reach)))],
    }
}

fn wall_off(reach: &Reach) -> Result<RestrictionStatus, RulesetError> {
    let all = AccessFs::from_all(LANDLOCK);
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all | NAMED_SOCKETS)?
        .scope(Scope::from_all(LANDLOCK))?;
    if !reach.has_network {
        ruleset = ruleset.handle_access(AccessNet::from_all(LANDLOCK))?;
    }
    let sound_server = (all & !NEVER) | NAMED_SOCKETS;
    ruleset
        .create()?
        .add_rules(path_beneath_rules(&reach.read, AccessFs::from_read(LANDLOCK) | NAMED_SOCKETS))?
        .add_rules(path_beneath_rules(&reach.write, sound_server))?
        .add_rules(path_beneath_rules(&reach.nodes, (all & !NEVER) | AccessFs::IoctlDev))?
        .restrict_self()
}

/// The version in force: 0 for none.
fn version(status: &RestrictionStatus) -> i32 {
    match (&status.ruleset, &status.landlock) {
        (RulesetStatus::NotEnforced, _) => 0,
        (_, LandlockStatus::Available { effective_abi, .. }) => *effective_abi as i32,
        (RulesetStatus::FullyEnforced, _) => LANDLOCK as i32,
        (RulesetStatus::PartiallyEnforced, _) => 1,
    }
}

/// Whether the process's system calls can open anything at all.
const fn can_open(reach: &Reach) -> bool {
    !reach.read.is_empty()
}

/// What a kernel with this version leaves open. What later versions brought and the filter of system calls refuses anyhow
/// is not missing: truncating (3), TCP (4), a terminal's requests (5), signals (6).
fn gaps(version: i32, has_local_sockets: bool, can_open: bool) -> Vec<String> {
    let mut gaps = Vec::new();
    if version < 1 {
        gaps.push(format!("this kernel has no Landlock (Linux 5.13 brought it); {}", without(can_open)));
    }
    if version < LANDLOCK as i32 && has_local_sockets {
        let has = if version < 1 { String::new() } else { format!(" has version {version} of Landlock and") };
        gaps.push(format!("this kernel{has} does not wall off abstract local sockets (Linux 6.12 does)"));
    }
    gaps
}

const fn without(can_open: bool) -> &'static str {
    if can_open { "files are not walled off" } else { "the filter of system calls is its one wall" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i4_an_older_kernel_is_told_what_it_leaves_open() {
        for version in 6..9 {
            assert_eq!(gaps(version, true, true), Vec::<String>::new());
        }
        for version in 1..6 {
            assert_eq!(gaps(version, false, true), Vec::<String>::new());
            let gap = format!(
                "this kernel has version {version} of Landlock and does not wall off abstract local sockets (Linux \
                 6.12 does)"
            );
            assert_eq!(gaps(version, true, true), [gap]);
        }
        let none = "this kernel has no Landlock (Linux 5.13 brought it)";
        assert_eq!(gaps(0, false, false), [format!("{none}; the filter of system calls is its one wall")]);
        assert_eq!(gaps(0, false, true), [format!("{none}; files are not walled off")]);
        assert_eq!(gaps(0, true, true).len(), 2);
    }
}
