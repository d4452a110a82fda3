//! The log's files: a new one each day and whenever one is full; the oldest goes. Their owner's alone, whatever the umask.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

/// Files that are kept: a week's, where no day has more than one.
pub const LOG_FILES_MAX: usize = 7;
/// Bytes of a file before the next is begun. A busy day has some 100 kB.
pub const LOG_FILE_BYTES_MAX: u64 = 8 << 20;
/// Bytes of all files together: no flood of lines fills the disk.
pub const LOG_BYTES_MAX: u64 = LOG_FILES_MAX as u64 * LOG_FILE_BYTES_MAX;

/// Read and written by the owner alone.
const MODE: u32 = 0o600;
const PREFIX: &str = "sotto.";
const SUFFIX: &str = ".log";

/// The files in one folder.
#[derive(Debug)]
pub(super) struct LogFiles {
    dir: PathBuf,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    place: Place,
    bytes: u64,
    /// The last write failed somewhere within its line.
    is_torn: bool,
}

/// A file's place in the order: its day, and which one of that day it is, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    day: Date,
    part: u32,
}

impl LogFiles {
    /// Opens nothing yet.
    pub(super) const fn new(dir: PathBuf) -> Self {
        Self { dir, open: None }
    }

    /// Takes from everybody else what earlier versions let them read.
    pub(super) fn close_to_others(&self) {
        let _ = fs::set_permissions(&self.dir, Permissions::from_mode(0o700));
        for (place, _) in self.kept() {
            let _ = fs::set_permissions(place.path(&self.dir), Permissions::from_mode(MODE));
        }
    }

    /// Appends a line on this day.
    pub(super) fn write(&mut self, line: &[u8], day: Date) -> io::Result<()> {
        let bytes = line.len() as u64;
        let fits = |open: &Open| open.place.day == day && open.bytes + bytes <= LOG_FILE_BYTES_MAX;
        if !self.open.as_ref().is_some_and(fits) {
            self.open = None;
            let place = self.free_place(day, bytes);
            let open = Open::new(&self.dir, place)?;
            self.make_room(place);
            self.open = Some(open);
        }
        self.open.as_mut().map_or(Ok(()), |open| open.append(line))
    }

    /// Where a line of so many bytes goes: the day's last file, or the one after it.
    fn free_place(&self, day: Date, bytes: u64) -> Place {
        let last = self.kept().into_iter().filter(|(place, _)| place.day == day).max();
        match last {
            None => Place { day, part: 1 },
            Some((place, size)) if size + bytes <= LOG_FILE_BYTES_MAX => place,
            Some((place, _)) => Place { part: place.part.saturating_add(1), ..place },
        }
    }

    /// Removes the oldest files until there are few enough and small enough; `current` stays, and may grow.
    fn make_room(&self, current: Place) {
        let mut others: Vec<(Place, u64)> = self.kept().into_iter().filter(|(place, _)| *place != current).collect();
        others.sort_unstable();
        let mut bytes: u64 = others.iter().map(|(_, size)| size).sum();
        let mut files = others.len();
        for (place, size) in others {
            if files < LOG_FILES_MAX && bytes + LOG_FILE_BYTES_MAX <= LOG_BYTES_MAX {
                return;
            }
            let _ = fs::remove_file(place.path(&self.dir));
            files -= 1;
            bytes -= size;
        }
    }

    /// The files that are there, and their sizes.
    fn kept(&self) -> Vec<(Place, u64)> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let file = |entry: fs::DirEntry| {
            let place = Place::of(entry.file_name().to_str()?)?;
            let is = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((place, is.len()))
        };
        entries.filter_map(file).collect()
    }
}

impl Open {
    fn new(dir: &Path, place: Place) -> io::Result<Self> {
        // Not through a link: it would lead out of the folder.
        let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).mode(MODE).custom_flags(no_follow).open(place.path(dir))?;
        let is = file.metadata()?;
        if is.permissions().mode() & 0o777 != MODE {
            file.set_permissions(Permissions::from_mode(MODE))?;
        }
        Ok(Self { file, place, bytes: is.len(), is_torn: false })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.file.write_all(b"\n")?;
            self.bytes += 1;
        }
        let written = self.file.write_all(line);
        self.is_torn = written.is_err();
        // Counted also where it failed: some of it may be there.
        self.bytes += line.len() as u64;
        written
    }
}

impl Place {
    fn of(name: &str) -> Option<Self> {
        let middle = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        let (day, part) = middle.split_once('.').unwrap_or((middle, "1"));
        Some(Self { day: day.parse().ok()?, part: part.parse().ok()? })
    }

    fn path(self, dir: &Path) -> PathBuf {
        let Self { day, part } = self;
        dir.join(match part {
            1 => format!("{PREFIX}{day}{SUFFIX}"),
            _ => format!("{PREFIX}{day}.{part}{SUFFIX}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = b"a line of sixteen bytes and more, so that it counts\n";

    fn day(number: i8) -> Date {
        Date::new(2026, 11, number).expect("a day")
    }

    fn sizes(dir: &Path) -> Vec<(String, u64)> {
        let entries = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry"));
        let mut files: Vec<_> = entries
            .map(|entry| (entry.file_name().into_string().expect("text"), entry.metadata().expect("there").len()))
            .collect();
        files.sort();
        files
    }

    /// A file of that size that takes no room on the disk.
    fn grow(path: &Path, bytes: u64) {
        File::options().create(true).append(true).open(path).expect("opens").set_len(bytes).expect("grows");
    }

    #[test]
    fn a_day_has_a_file_and_the_oldest_goes() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut files = LogFiles::new(dir.path().to_owned());
        for number in 1..=9 {
            files.write(LINE, day(number)).expect("written");
            files.write(LINE, day(number)).expect("written");
        }
        let left = sizes(dir.path());
        assert_eq!(left.len(), LOG_FILES_MAX);
        assert_eq!(left[0], ("sotto.2026-11-03.log".into(), 2 * LINE.len() as u64));
    }

    #[test]
    fn a_flood_of_lines_in_one_day_is_bounded_too() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("a letter"), "x").expect("written");
        let mut files = LogFiles::new(dir.path().to_owned());
        for _ in 0..20 {
            files.write(LINE, day(1)).expect("written");
            let open = files.open.as_mut().expect("open");
            open.file.set_len(LOG_FILE_BYTES_MAX).expect("grows");
            open.bytes = LOG_FILE_BYTES_MAX;
        }
        files.write(LINE, day(1)).expect("written");
        let left = sizes(dir.path());
        assert_eq!(left.len(), LOG_FILES_MAX + 1, "{left:?}");
        assert!(left.iter().map(|(_, bytes)| bytes).sum::<u64>() <= LOG_BYTES_MAX);
        assert_eq!(left[0].0, "a letter", "what is not ours stays");
        // A start takes up where the last one was, not the day's first file.
        let mut again = LogFiles::new(dir.path().to_owned());
        again.write(LINE, day(1)).expect("written");
        assert!(sizes(dir.path()).contains(&("sotto.2026-11-01.21.log".into(), 2 * LINE.len() as u64)));
    }

    #[test]
    fn the_files_of_a_version_without_bounds_are_brought_within_them() {
        let dir = tempfile::tempdir().expect("a folder");
        for number in 1..=6 {
            grow(&dir.path().join(format!("sotto.2026-11-0{number}.log")), LOG_BYTES_MAX);
        }
        let mut files = LogFiles::new(dir.path().to_owned());
        files.write(LINE, day(6)).expect("written");
        assert_eq!(sizes(dir.path()), [("sotto.2026-11-06.2.log".into(), LINE.len() as u64)]);
        // A clock that is set back writes into an older day's file, and does not remove it.
        files.write(LINE, day(2)).expect("written");
        assert_eq!(sizes(dir.path()).len(), 2);
    }

    #[test]
    fn its_files_are_their_owners_alone_also_those_that_were_there() {
        let dir = tempfile::tempdir().expect("a folder");
        let mode = |name: &str| fs::metadata(dir.path().join(name)).expect("there").permissions().mode() & 0o777;
        for name in ["sotto.2026-11-01.log", "sotto.2026-11-02.log", "sotto.2026-11-03.log"] {
            fs::write(dir.path().join(name), "x\n").expect("written");
            fs::set_permissions(dir.path().join(name), Permissions::from_mode(0o644)).expect("a mode");
        }
        let mut files = LogFiles::new(dir.path().to_owned());
        files.close_to_others();
        assert_eq!(mode("sotto.2026-11-01.log"), 0o600);
        // One that somebody opened up since.
        fs::set_permissions(dir.path().join("sotto.2026-11-03.log"), Permissions::from_mode(0o664)).expect("a mode");
        for number in [3, 4] {
            files.write(LINE, day(number)).expect("written");
            assert_eq!(mode(&format!("sotto.2026-11-0{number}.log")), 0o600);
        }
    }

    #[test]
    fn a_link_in_a_files_place_is_not_followed() {
        let (dir, elsewhere) =
            (tempfile::tempdir().expect("a folder"), tempfile::NamedTempFile::new().expect("a file"));
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("sotto.2026-11-01.log")).expect("a link");
        let mut files = LogFiles::new(dir.path().to_owned());
        assert!(files.write(LINE, day(1)).is_err());
        assert_eq!(fs::read(elsewhere.path()).expect("there"), b"");
    }
}
