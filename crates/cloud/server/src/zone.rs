//! The time zone in which the owner is told times: the machine's, followed when it changes.
//!
//! A zone that is named and not known is refused at the start. Times in UTC would look right and be wrong.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;

use crate::ServerError;

/// Where the machine keeps its time zone: a link into the database of zones, or a copy of one of its files.
const LOCALTIME: &str = "/etc/localtime";

/// What a link to a zone's file holds before the zone's name.
const DATABASE: &str = "zoneinfo/";

/// Names of UTC, which is known without a database of zones.
const NAMES_OF_UTC: [&str; 8] = ["", "UTC", "UTC0", "GMT", "Zulu", "Etc/UTC", "Etc/GMT", "Etc/Zulu"];

/// Bytes of a zone's file; the largest have 4 KB.
const ZONE_BYTES_MAX: u64 = 64 * 1024;

/// The owner's time zone.
#[derive(Debug)]
pub(crate) struct LocalZone {
    /// Nothing where the environment says which zone it is.
    file: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    zone: TimeZone,
    /// What the file was like when the zone was read.
    mark: Mark,
}

/// Changes whenever the file or the link is replaced or written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mark {
    target: Option<PathBuf>,
    /// Device, inode, size, seconds and nanoseconds of the last change.
    file: Option<[i64; 5]>,
}

impl LocalZone {
    /// The zone that `TZ` names, as the C library reads it, or else the machine's.
    ///
    /// # Errors
    /// [`ServerError::Zone`] where a zone is named and not known here.
    pub(crate) fn of_machine() -> Result<Self, ServerError> {
        Self::open(std::env::var_os("TZ"), Path::new(LOCALTIME))
    }

    fn open(named: Option<OsString>, file: &Path) -> Result<Self, ServerError> {
        if let Some(named) = named {
            let named = named.to_string_lossy();
            let zone = by_environment(&named)
                .ok_or_else(|| ServerError::Zone { name: named.to_string(), source_name: "TZ".to_owned() })?;
            return Ok(Self { file: None, known: Mutex::new(Known { zone, mark: Mark::default() }) });
        }
        let mark = Mark::of(file);
        if mark == Mark::default() {
            tracing::warn!(file = LOCALTIME, "zone.none: this machine names no time zone, so times are UTC");
        }
        let zone =
            by_file(file, &mark).map_err(|name| ServerError::Zone { name, source_name: LOCALTIME.to_owned() })?;
        Ok(Self { file: Some(file.to_owned()), known: Mutex::new(Known { zone, mark }) })
    }

    /// The zone as it is now. One that changes to something unknown stays what it was, and the log says so.
    pub(crate) fn now(&self) -> TimeZone {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.file {
            let mark = Mark::of(file);
            if mark != known.mark {
                match by_file(file, &mark) {
                    Ok(zone) => {
                        tracing::info!(zone = zone.iana_name().unwrap_or("without a name"), "zone.changed");
                        known.zone = zone;
                    }
                    Err(zone) => tracing::warn!(zone, "zone.unknown: times stay in the zone of before"),
                }
                known.mark = mark;
            }
        }
        known.zone.clone()
    }
}

impl Mark {
    fn of(file: &Path) -> Self {
        let facts = fs::metadata(file).ok().map(|facts| {
            let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            [signed(facts.dev()), signed(facts.ino()), signed(facts.size()), facts.mtime(), facts.mtime_nsec()]
        });
        Self { target: fs::read_link(file).ok(), file: facts }
    }
}

/// A value of `TZ`: a zone's name, rules such as `CET-1CEST,M3.5.0,M10.5.0/3`, or a file.
fn by_environment(named: &str) -> Option<TimeZone> {
    let named = named.strip_prefix(':').unwrap_or(named);
    if named.starts_with('/') {
        let mark = Mark::of(Path::new(named));
        return mark.file.is_some().then(|| by_file(Path::new(named), &mark).ok()).flatten();
    }
    by_name(named).or_else(|| TimeZone::posix(named).ok())
}

fn by_name(name: &str) -> Option<TimeZone> {
    if NAMES_OF_UTC.contains(&name) {
        return Some(TimeZone::UTC);
    }
    TimeZone::get(name).ok()
}

/// The zone of a file that is there; UTC where there is none, which is what the C library takes. The error is the zone's
/// name, or the file's where it has none.
fn by_file(file: &Path, mark: &Mark) -> Result<TimeZone, String> {
    let target = mark.target.as_ref().map(|target| target.to_string_lossy().into_owned());
    let name = target.as_ref().and_then(|target| target.split_once(DATABASE)).map(|(_, name)| name.to_owned());
    if let Some(zone) = name.as_deref().and_then(by_name) {
        return Ok(zone);
    }
    let unknown = || name.clone().or_else(|| target.clone()).unwrap_or_else(|| file.display().to_string());
    if *mark == Mark::default() {
        return Ok(TimeZone::UTC);
    }
    let facts = fs::metadata(file).map_err(|_| unknown())?;
    if facts.len() > ZONE_BYTES_MAX || !facts.is_file() {
        return Err(unknown());
    }
    let bytes = fs::read(file).map_err(|_| unknown())?;
    TimeZone::tzif(name.as_deref().unwrap_or("Local"), &bytes).map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use jiff::Timestamp;

    use super::*;

    /// A zone's file without a table of changes: the header twice, and the rules.
    fn zone_file(rules: &str) -> Vec<u8> {
        let block = |version: &[u8]| {
            let mut bytes = [b"TZif", version, &[0; 15]].concat();
            // Marks of UTC, marks of standard time, leap seconds, changes, types, letters of names.
            for count in [0, 0, 0, 0, 1, 4] {
                bytes.extend(u32::to_be_bytes(count));
            }
            // One type: no offset, no summer time, the first name.
            bytes.extend([0; 6]);
            bytes.extend(b"LMT\0");
            bytes
        };
        [block(b"2"), block(b"2"), format!("\n{rules}\n").into_bytes()].concat()
    }

    fn hour(zone: &LocalZone) -> i8 {
        Timestamp::from_second(1_782_900_000).expect("in range").to_zoned_datetime(zone.now()).hour()
    }

    #[test]
    fn a_zone_that_is_not_known_is_refused_by_its_name() {
        for name in ["Europe/Berln", "America/New York", "nonsense", "/nowhere/at/all/zoneinfo/Mars/Base"] {
            let refused = LocalZone::open(Some(name.into()), Path::new("/nowhere")).expect_err("not a zone");
            let (told, last) = (refused.to_string(), name.rsplit("zoneinfo/").next().unwrap_or(name));
            assert!(told.contains("TZ") && told.contains(last), "{told}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("localtime");
        symlink("/usr/share/zoneinfo/Europe/Berln", &link).expect("linked");
        let refused = LocalZone::open(None, &link).expect_err("not a zone").to_string();
        assert!(refused.contains("Europe/Berln"), "{refused}");
        fs::remove_file(&link).expect("removed");
        fs::write(&link, "not a zone").expect("written");
        assert!(LocalZone::open(None, &link).is_err());
    }

    #[test]
    fn what_names_utc_or_nothing_is_utc() {
        for name in ["", "UTC", "UTC0", ":Etc/UTC"] {
            let zone = LocalZone::open(Some(name.into()), Path::new("/nowhere")).expect("UTC");
            assert_eq!(zone.now(), TimeZone::UTC, "{name}");
        }
        let none = LocalZone::open(None, Path::new("/nowhere/localtime")).expect("UTC");
        assert_eq!(none.now(), TimeZone::UTC);
        let rules = LocalZone::open(Some("CET-1CEST,M3.5.0,M10.5.0/3".into()), Path::new("/nowhere")).expect("rules");
        assert_eq!(hour(&rules), 12);
    }

    #[test]
    fn a_zone_that_changes_is_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, next) = (folder.path().join("localtime"), folder.path().join("next"));
        fs::write(&file, zone_file("CET-1CEST,M3.5.0,M10.5.0/3")).expect("written");
        let zone = LocalZone::open(None, &file).expect("a zone");
        assert_eq!(hour(&zone), 12);
        fs::write(&next, zone_file("CST6CDT,M3.2.0,M11.1.0")).expect("written");
        fs::rename(&next, &file).expect("renamed");
        assert_eq!(hour(&zone), 5);
        // Something unknown changes nothing.
        fs::write(&next, "damaged").expect("written");
        fs::rename(&next, &file).expect("renamed");
        assert_eq!(hour(&zone), 5);
    }
}
