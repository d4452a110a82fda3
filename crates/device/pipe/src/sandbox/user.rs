//! Who a process is behind its walls.
//!
//! Whoever is started by root becomes somebody else: as a rule a user of that process's own, so that none of the four may
//! signal another or look into it; where it must open what only its owner may (a sound server's socket, a folder for
//! replies), that owner. No capability is left to anybody.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Uid, chownat, fchown, fstat, openat, statat};
use rustix::io::Errno;
use rustix::process::geteuid;
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_capabilities_secure_bits, set_no_new_privs,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::Reach;

/// The users, one a process: of the numbers 65520 to 65533, which no distribution and no service manager gives to anybody,
/// and which containers have too.
pub(super) const PANEL: u32 = 65_520;
pub(super) const EAR: u32 = 65_521;
pub(super) const MIC: u32 = 65_522;
pub(super) const LINK: u32 = 65_523;

/// Bits of a capability set.
const CAPABILITIES_MAX: u32 = 64;

/// A user to become.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct User {
    id: u32,
    group: u32,
    groups: Vec<u32>,
    /// Why it is root after all.
    root_because: Option<PathBuf>,
}

/// The user that a process which root started becomes; none where an ordinary user did.
pub(super) fn choose(own: u32, reach: &Reach) -> Option<User> {
    geteuid().is_root().then(|| for_reach(own, reach))
}

fn for_reach(own: u32, reach: &Reach) -> User {
    let groups = groups_of(&reach.nodes);
    let owner = reach.owners.iter().find_map(|path| Some((path, fs::metadata(path).ok()?)));
    if let Some((path, owner)) = owner {
        let root_because = (owner.uid() == 0).then(|| path.clone());
        return User { id: owner.uid(), group: owner.gid(), groups, root_because };
    }
    // Data that somebody else's device left is still theirs.
    match reach.data.as_deref().and_then(|data| fs::metadata(data).ok()).filter(|data| data.uid() != 0) {
        Some(data) => User { id: data.uid(), group: data.gid(), groups, root_because: None },
        None => User { id: own, group: own, groups, root_because: None },
    }
}

/// The groups that may open these nodes.
fn groups_of(nodes: &[PathBuf]) -> Vec<u32> {
    let mut groups: Vec<u32> = nodes.iter().filter_map(|node| Some(fs::metadata(node).ok()?.gid())).collect();
    groups.retain(|group| *group != 0);
    groups.sort_unstable();
    groups.dedup();
    groups
}

impl User {
    /// Makes a folder of root's, and what lies in it, this user's.
    pub(super) fn take_over(&self, data: Option<&Path>) -> Result<(), String> {
        let Some(data) = data.filter(|_| self.id != 0) else { return Ok(()) };
        self.take(data).map_err(|error| format!("{}: it cannot be handed over ({error})", data.display()))
    }

    fn take(&self, data: &Path) -> io::Result<()> {
        let (user, group) = (Some(Uid::from_raw(self.id)), Some(Gid::from_raw(self.group)));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(CWD, data, flags, Mode::empty())?;
        if fstat(&folder)?.st_uid == 0 {
            fchown(&folder, user, group)?;
        }
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let stat = statat(&folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
            // A link could lead to, or be, what lies elsewhere.
            let is_plain = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink == 1;
            if is_plain && stat.st_uid == 0 {
                chownat(&folder, entry.file_name(), user, group, AtFlags::SYMLINK_NOFOLLOW)?;
            }
        }
        Ok(())
    }

    fn become_it(&self) -> Result<(), Errno> {
        let groups: Vec<Gid> = self.groups.iter().map(|group| Gid::from_raw(*group)).collect();
        set_thread_groups(&groups)?;
        let (user, group) = (Uid::from_raw(self.id), Gid::from_raw(self.group));
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)
    }
}

/// Becomes `user`, if there is one to become, and gives up every capability.
pub(super) fn drop_rights(user: Option<&User>) -> Result<(), String> {
    empty_bounds();
    let became = user.map_or(Ok(()), User::become_it);
    let emptied = empty_capabilities();
    became.map_err(|error| format!("it cannot become an ordinary user ({error}); it stays root"))?;
    emptied.map_err(|error| format!("it keeps some of root's capabilities ({error})"))?;
    match user.and_then(|user| user.root_because.as_ref()) {
        Some(path) => Err(format!("{} is root's alone: it stays root here, without capabilities", path.display())),
        None => Ok(()),
    }
}

/// What could bring capabilities back goes first: it takes one to do so. Where there is none, there is none to gain.
fn empty_bounds() {
    for bit in 0..CAPABILITIES_MAX {
        // Ends where the kernel knows no more of them, or where it is not ours to do.
        if remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << bit)).is_err() {
            break;
        }
    }
    let locked = CapabilitiesSecureBits::NO_ROOT
        | CapabilitiesSecureBits::NO_ROOT_LOCKED
        | CapabilitiesSecureBits::KEEP_CAPS_LOCKED
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED;
    // An ordinary user may not, and need not.
    let _ = set_capabilities_secure_bits(locked);
}

fn empty_capabilities() -> Result<(), Errno> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    clear_ambient_capability_set()?;
    set_capabilities(None, sets)?;
    set_no_new_privs(true)?;
    if capabilities(None)? == sets { Ok(()) } else { Err(Errno::PERM) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i4_root_becomes_a_user_of_the_process_or_the_owner_of_what_it_must_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let owner = fs::metadata(folder.path()).expect("there");
        let own = User { id: LINK, group: LINK, groups: Vec::new(), root_because: None };
        assert_eq!(for_reach(LINK, &Reach::default()), own);
        let missing = Reach { owners: vec![folder.path().join("none")], ..Reach::default() };
        assert_eq!(for_reach(LINK, &missing), own);
        let path = folder.path().to_path_buf();
        let reach = Reach { owners: vec![path.clone()], ..Reach::default() };
        let root_because = (owner.uid() == 0).then_some(path);
        let want = User { id: owner.uid(), group: owner.gid(), groups: Vec::new(), root_because };
        assert_eq!(for_reach(LINK, &reach), want);
    }
}
